#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "metrics/metrics.h"
#include "store/file_descriptor.h"
#include "store/key_locks.h"
#include "store/local_error.h"
#include "store/object_store.h"

namespace hangar {

/// What identifies a folder, whichever way it was reached.
struct FolderIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  friend bool operator==(const FolderIdentity&, const FolderIdentity&) = default;
};
FolderIdentity IdentityOf(const struct statx& state);

/// The object that the regular file of this state is.
ObjectInfo InfoOf(std::string key, const struct statx& state);

/// What stands on disk at a key.
struct Occupant {
  enum class Kind {
    kNothing,
    kObject,
    kFolder,
    kLinkOut,  ///< A link that leads out of the root or round in circles, here or on the way.
    kOther,    ///< A pipe, a socket, a device.
  };
  Kind kind = Kind::kNothing;
  ObjectInfo info;  ///< Of kObject.

  const ObjectInfo* object() const { return kind == Kind::kObject ? &info : nullptr; }
};

/// How long the disk takes to make things durable.
struct SyncDurations {
  DurationHistogram files;
  DurationHistogram folders;
};

/// What is in staging of this process' uploads.
struct StagedTotals {
  std::atomic<int64_t> objects = 0;
  std::atomic<int64_t> bytes = 0;
};

/// The open folders from the root down to the one that holds a key, in this order.
class FolderChain {
 public:
  FolderChain() = default;
  explicit FolderChain(const DurationHistogram& syncs) : syncs_(syncs) {}

  void Add(UniqueDescriptor folder) { folders_.push_back(std::move(folder)); }
  /// The folder that holds the key.
  int innermost() const { return folders_.back().get(); }
  /// Makes a change in the innermost folder durable, and with it the folders themselves: any of
  /// them may have been made a moment ago, by this process or by another.
  arrow::Status MakeDurable(std::string_view subject) const;

 private:
  std::vector<UniqueDescriptor> folders_;
  DurationHistogram syncs_;
};

/// How often a change is tried again when the folder that it goes to is pruned, by a concurrent
/// change, between being opened and being used.
inline constexpr int kFolderAttemptsMax = 64;

/// A data folder: its descriptors, its locks, and the steps that the store's operations are made
/// of. Every path is resolved below the root by the kernel. Thread-safe.
class LocalRoot {
 public:
  /// See LocalStore::Make.
  static arrow::Result<std::shared_ptr<LocalRoot>> Open(const std::string& path,
                                                        const SyncDurations& syncs);

  LocalRoot(UniqueDescriptor root, UniqueDescriptor staging, UniqueDescriptor lock,
            FolderIdentity hidden, const SyncDurations& syncs)
      : root_(std::move(root)),
        staging_(std::move(staging)),
        hidden_(hidden),
        syncs_(syncs),
        locks_(std::move(lock)) {}

  int root() const { return root_.get(); }
  int staging() const { return staging_.get(); }
  const FolderIdentity& hidden() const { return hidden_; }
  const SyncDurations& syncs() const { return syncs_; }
  KeyLocks& locks() { return locks_; }
  StagedTotals& staged() { return staged_; }

  /// The present time, but later than any that was given before. The kernel's own file times are
  /// too coarse (up to 4 ms) to tell apart two files that had the same inode one after the other.
  Timestamp NextTime();

  /// Looks at what stands at a key, without opening it.
  arrow::Result<Occupant> Probe(const std::string& key) const;

  /// The folder that holds the key; nullopt when there is none.
  arrow::Result<std::optional<UniqueDescriptor>> OpenFolderOf(const std::string& key,
                                                              Attempt attempt) const;

  /// Opens the folder that holds the key, making those that are missing; nullopt when one vanished
  /// on the way, and the caller may try again. `subject` is what errors speak of.
  arrow::Result<std::optional<FolderChain>> MakeFoldersOf(const std::string& key, Attempt attempt,
                                                          const std::string& subject) const;

  /// Moves the file `name` of `folder` to `key`, making the folders that are missing. `occupant`
  /// is what Probe said of the key. With `only_if_absent` nothing is ever replaced.
  arrow::Result<FolderChain> MoveTo(int folder, const std::string& name, const std::string& key,
                                    const Occupant& occupant, bool only_if_absent,
                                    Attempt attempt) const;

  /// Removes the folders above the key that hold nothing any more, as far as that goes.
  void PruneFoldersOf(const std::string& key) const;

 private:
  const UniqueDescriptor root_;
  const UniqueDescriptor staging_;
  const FolderIdentity hidden_;
  const SyncDurations syncs_;
  KeyLocks locks_;
  StagedTotals staged_;
  std::atomic<int64_t> last_time_ns_ = 0;
};

/// NOT_FOUND for a key where `occupant`, not an object, stands.
arrow::Status NotAnObject(const std::string& key, const Occupant& occupant);

}  // namespace hangar
