#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/clock.h"

namespace hangar {

/// What a store knows of one object without reading it.
struct ObjectInfo {
  /// The object's whole name: segments joined with '/'. Everything put in through a store has a
  /// valid dataset name (`catalog/dataset_name.h`); a listing may also show what other tools put
  /// there under names that are not, such as one with a control character.
  std::string key;
  /// Opaque; equal exactly when the stored bytes are the same object. Printable ASCII, no spaces.
  std::string version;
  int64_t size_bytes = 0;
  Timestamp modified{};
  /// False while another program may still be writing the object: a file system gives a file its
  /// time of modification, and so its version, when a write begins, and then the bytes come one
  /// after the other. What is read of it must not be kept for later.
  bool settled = true;
};

/// What must hold of a key at the moment of a change. The check and the change are one step.
struct Precondition {
  enum class Kind {
    kNone,     ///< Whatever is there.
    kAbsent,   ///< Nothing is there, else ALREADY_EXISTS.
    kVersion,  ///< Exactly this version is there, else FAILED_PRECONDITION.
  };
  Kind kind = Kind::kNone;
  std::string version;  ///< For kVersion.

  static Precondition None() { return {}; }
  static Precondition Absent() { return {Kind::kAbsent, {}}; }
  static Precondition Version(std::string version) { return {Kind::kVersion, std::move(version)}; }
};

/// What took a version from its key.
enum class RetiredBy {
  kReplaced,  ///< Another version stands at the key since.
  kDropped,   ///< The key was deleted.
  kRenamed,   ///< It lives on under another key; here it is only for those who knew it by this one.
};

/// A version that a change took from its key and that is kept until it is purged.
struct RetiredObject {
  ObjectInfo object;  ///< Under the key that it had.
  Timestamp retired{};
  RetiredBy by = RetiredBy::kReplaced;
  Timestamp held_until{};  ///< See HoldRetired; the epoch when no one asked.
  std::string entry;       ///< The store's own name of it.
};

/// Reads one version of one object; what it reads never mixes two versions. Any thread may call.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  virtual const ObjectInfo& info() const = 0;

  /// Reads exactly `length` bytes at `offset` into `out`, blocking. Asking beyond the end is
  /// INVALID_ARGUMENT. DATA_LOSS when the bytes were changed in place since the reader was opened:
  /// what is in `out` must then be thrown away.
  virtual arrow::Status ReadAt(int64_t offset, int64_t length, void* out) = 0;

  /// Says that what was read turned out to be damaged. True where it came over a network, on which
  /// that may have happened: nothing of it is kept here, and reading again may give other bytes.
  virtual bool DiscardReadBytes() { return false; }

  /// A new file descriptor of the object's file, for the system's own ways to send one, which the
  /// caller closes; what is read through it is not looked at for changes. nullopt where the object
  /// is not a file, or there are no descriptors left.
  virtual std::optional<int> DuplicateDescriptor() const { return std::nullopt; }
};

/// An object that grows out of sight and becomes visible in one step, or never. One thread at a
/// time. Destroying it without a successful Publish leaves nothing behind.
///
///   auto staged = store->Stage({});
///   staged->Append(...); staged->Seal(); staged->OpenSealed() ...; staged->Publish(key, ...);
class StagedObject {
 public:
  virtual ~StagedObject() = default;

  /// Adds bytes at the end. RESOURCE_EXHAUSTED when the store is full. After any failure only
  /// destruction is left.
  virtual arrow::Status Append(const void* bytes, int64_t length) = 0;

  virtual int64_t size_bytes() const = 0;

  /// Makes the bytes durable. A failed Seal is final: the bytes may be gone from the page cache, so
  /// it is never tried again.
  virtual arrow::Status Seal() = 0;

  /// Says that what is appended from now on belongs to the end of the object, see ReadsBack::kEnd.
  /// At most once.
  virtual void BeginEnd() {}

  /// Reads back what was sealed, to verify it before it is published. The reader's info has no key
  /// yet; its version is the one that Publish returns. With ReadsBack::kEnd a store may have kept
  /// only what stands behind BeginEnd and the last kReadBackBytesMin before it; asking for more is
  /// then an error, INTERNAL.
  virtual arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() = 0;

  /// Makes the sealed object visible at `key`, retiring what is there when the precondition
  /// allows. When it returns OK the change survives a power loss. When it fails nothing changed and
  /// it may be called again, for instance with another key, with one exception: a failure to make
  /// the folder entry durable is an error although readers may see the new object.
  ///
  /// FAILED_PRECONDITION as well where a store with folders cannot have the key beside another one
  /// (`a` and `a/b`). INTERNAL where the object grew at the key of its StageOptions and this is
  /// another one. UNAVAILABLE where a conflict has used it up: it has to be staged anew.
  virtual arrow::Result<ObjectInfo> Publish(const std::string& key,
                                            const Precondition& precondition) = 0;
};

/// Walks keys in ascending byte order, holding a bounded number of them. One thread at a time.
class ObjectLister {
 public:
  virtual ~ObjectLister() = default;

  /// The next object, or nullopt at the end. Objects that come or go during the walk may or may not
  /// be seen; those that stay are seen exactly once.
  virtual arrow::Result<std::optional<ObjectInfo>> Next() = 0;
};

/// Walks keys in ascending byte order, as ObjectLister. One thread at a time.
class KeyLister {
 public:
  virtual ~KeyLister() = default;
  /// The next key, or nullopt at the end.
  virtual arrow::Result<std::optional<std::string>> Next() = 0;
};

/// What OpenSealed is asked for.
enum class ReadsBack {
  kAll,
  kEnd,  ///< What follows BeginEnd, and no more than kReadBackBytesMin before that.
};

inline constexpr int64_t kReadBackBytesMin = 1 << 20;

/// What is known of an object before it is there.
struct StageOptions {
  /// Where it will be published; empty: not known yet. Together with ReadsBack::kEnd it lets a
  /// store put the bytes where they stay, out of sight, so that publishing moves none of them.
  std::string key;
  ReadsBack reads_back = ReadsBack::kAll;
  /// What the store may hold of it in memory, about; see StagingMemory. It is Arrow's memory.
  int64_t memory_bytes = std::numeric_limits<int64_t>::max();
};

/// What a large staged object holds in memory.
struct StagingMemory {
  int64_t least_bytes = 0;  ///< It works with this, and slower than it could.
  int64_t most_bytes = 0;
};

struct ListOptions {
  std::string prefix;  ///< Only keys that begin with these bytes.
  std::string after;   ///< Only keys greater than this one.
};

struct SweepReport {
  int64_t removed_objects = 0;
  int64_t removed_bytes = 0;
};

/// The one seam to bytes at rest: everything stored is read and written through it, so that another
/// store (memory, S3) or an injected fault can stand in. Thread-safe. All calls may block.
///
/// What Publish, Delete and Rename take from a key is retired: hidden, but whole, with its version,
/// until it is purged or restored. At every moment of a change a version is at its key or retired.
/// An object whose key is a link, or that the store has no means to keep (a file system without
/// links), is not retired but gone.
///
/// Keys are given as valid dataset names. Errors carry a kind (`base/error.h`) and a sentence that
/// names the key and never a path of the disk.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Whether each call is a request over a network, which takes long by itself: few large reads are
  /// better than many small ones, and many at once than one after the other.
  virtual bool IsRemote() const { return false; }

  /// NOT_FOUND when there is no object of that key.
  virtual arrow::Result<ObjectInfo> Stat(const std::string& key) = 0;

  /// Opens the current version. The reader goes on reading it after it was replaced or deleted.
  virtual arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) = 0;

  /// As Open, for who reads the object's end next: a remote store gets some of it with the same
  /// request.
  virtual arrow::Result<std::unique_ptr<ObjectReader>> OpenWithEnd(const std::string& key) {
    return Open(key);
  }

  /// Opens what Stat or List just gave, where the store can without a look whether it is still
  /// there: that then comes out when it is read.
  virtual arrow::Result<std::unique_ptr<ObjectReader>> OpenAt(const ObjectInfo& object) {
    return Open(object.key);
  }

  /// Of a store that remembers for a while what is at which key: the next time it looks.
  virtual void Forget(const std::string& /*key*/) {}

  /// INVALID_ARGUMENT for a key that the store cannot have.
  virtual arrow::Result<std::unique_ptr<StagedObject>> Stage(const StageOptions& options) = 0;

  /// Nothing where staged bytes are on a disk.
  virtual StagingMemory staging_memory() const { return {}; }

  virtual arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) = 0;

  /// Retires the object, durably. NOT_FOUND when it is not there, whatever the precondition.
  virtual arrow::Status Delete(const std::string& key, const Precondition& precondition) = 0;

  /// Moves an object to another key in one step, or, in a bucket, in two: then a crash between them
  /// leaves it retired, as dropped. `from_precondition` and `to_precondition` hold for the two
  /// keys. NOT_FOUND when `from` is not there. Renaming a key to itself changes nothing. Returns
  /// the object under its new key, with the version it has from now on. Durable, and fails, as
  /// Publish.
  virtual arrow::Result<ObjectInfo> Rename(const std::string& from, const std::string& to,
                                           const Precondition& from_precondition,
                                           const Precondition& to_precondition) = 0;

  /// All that was retired from `key`, the latest first.
  virtual arrow::Result<std::vector<RetiredObject>> ListRetired(const std::string& key) = 0;

  /// The keys from which something is retired.
  virtual arrow::Result<std::unique_ptr<KeyLister>> ListRetiredKeys(const ListOptions& options) = 0;

  /// Opens a version that was retired from `key`, else NOT_FOUND.
  virtual arrow::Result<std::unique_ptr<ObjectReader>> OpenRetired(const std::string& key,
                                                                   const std::string& version) = 0;

  /// Notes that a retired version is wanted until then, for whoever purges; never takes away what
  /// was noted before. NOT_FOUND when it is not retired (any more). A power loss may forget it.
  virtual arrow::Status HoldRetired(const std::string& key, const std::string& version,
                                    Timestamp until) = 0;

  /// Brings a version back that was replaced or dropped, retiring what is at the key now. NOT_FOUND
  /// when it is not retired; what stands at the key already stays as it is. Durable, and fails, as
  /// Publish.
  virtual arrow::Result<ObjectInfo> RestoreRetired(const std::string& key,
                                                   const std::string& version,
                                                   const Precondition& precondition) = 0;

  /// Removes what ListRetired gave, unless it was held or restored since; that is not an error.
  /// Open readers go on.
  virtual arrow::Status PurgeRetired(const RetiredObject& retired) = 0;

  /// Removes staged objects whose writer is gone. Safe while other processes stage.
  virtual arrow::Result<SweepReport> SweepStaging() = 0;
};

}  // namespace hangar
