#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "store/local_root.h"
#include "store/object_store.h"

namespace hangar {

// What replaces, drops and renames took from the keys, as files of ROOT/_hangar/history. A retired
// file is the very file that stood at the key, so that its version stays the same and nothing is
// copied. Functions that change something are called with the lock of the key held.

/// Keeps the file of `key` reachable by a second name, durably, before a change takes the first one
/// away. Until Keep is called its destruction takes the second name back.
class RetiredLink {
 public:
  /// Links nothing when there is no plain file, or the file system cannot link it: what the change
  /// takes away is then gone, as it would be without a history.
  static arrow::Result<RetiredLink> Make(LocalRoot& root, const std::string& key, RetiredBy by);

  RetiredLink() = default;
  RetiredLink(RetiredLink&& other) noexcept { *this = std::move(other); }
  RetiredLink& operator=(RetiredLink&& other) noexcept;
  ~RetiredLink();

  void Keep() { path_.clear(); }

 private:
  LocalRoot* root_ = nullptr;
  FolderChain folders_;
  std::string path_;  // Below the root; empty: nothing to take back.
};

/// Takes the file `leaf` of `folder` from its key, in one step; durable in the history on return,
/// the folder of the key is the caller's to sync. False, and nothing changed, when the history
/// cannot take it: it is a link, on another file system, or the disk is full.
arrow::Result<bool> MoveToHistory(LocalRoot& root, int folder, const std::string& leaf,
                                  const std::string& key);

/// The latest first.
arrow::Result<std::vector<RetiredObject>> ListLocalRetired(const LocalRoot& root,
                                                           const std::string& key);

/// NOT_FOUND when that version is not retired.
arrow::Result<std::unique_ptr<ObjectReader>> OpenLocalRetired(const LocalRoot& root,
                                                              const std::string& key,
                                                              const std::string& version);

arrow::Status HoldLocalRetired(const LocalRoot& root, const std::string& key,
                               const std::string& version, Timestamp until);

arrow::Status PurgeLocalRetired(const LocalRoot& root, const RetiredObject& retired);

/// Walks the keys of the history in their order. Holds the names of one folder at a time for each
/// level of the walk.
std::unique_ptr<KeyLister> MakeLocalRetiredLister(std::shared_ptr<const LocalRoot> root,
                                                  ListOptions options);

/// The entry of that version among `retired`, or null.
const RetiredObject* FindRetired(const std::vector<RetiredObject>& retired,
                                 const std::string& version);
}  // namespace hangar
