#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sync/sync_names.h"

namespace hangar::sync {

/// A file in the folder. Times are of its last change, in ns since the epoch.
struct LocalFile {
  int64_t bytes = 0;
  int64_t modified_ns = 0;

  bool operator==(const LocalFile&) const = default;
};

struct RemoteFile {
  std::string version;
  int64_t bytes = 0;
};

/// What was the same on both sides when a sync was done with it.
struct SyncedFile {
  std::string version;
  LocalFile local;
  std::string sha256;  ///< 64 hexadecimal digits.

  bool operator==(const SyncedFile&) const = default;
};

// By their paths below the folder and the prefix.
using LocalFiles = std::map<std::string, LocalFile>;
using RemoteFiles = std::map<std::string, RemoteFile>;
using SyncedFiles = std::map<std::string, SyncedFile>;

struct SyncOptions {
  SyncDirection direction = SyncDirection::kUp;
  bool remove = false;  ///< What is in the target only is removed.
  bool force = false;   ///< What changed in the target meanwhile is replaced and removed, too.
};

enum class SyncStep {
  kCopy,      ///< From the source to the target.
  kCompare,   ///< Of equal size, and nothing tells whether they are the same.
  kRemove,    ///< From the target.
  kConflict,  ///< Not done, as the target holds what no sync brought there.
};

/// What is to be done with one path.
struct SyncAction {
  SyncStep step = SyncStep::kCopy;
  std::string path;
  int64_t bytes = 0;    ///< That have to be copied.
  std::string version;  ///< Of the dataset now; empty when there is none.
  std::string reason;   ///< Of a conflict: a sentence that begins after the path.

  bool operator==(const SyncAction&) const = default;
};

struct SyncPlan {
  std::vector<SyncAction> actions;  ///< In the order of their paths; removals last.
  int64_t unchanged = 0;            ///< Paths with which there is nothing to do.
  int64_t target_only = 0;          ///< Paths that are in the target only and stay there.
};

/// What makes the target as the source is. A file counts as unchanged while its size and time are
/// those of the last sync, a dataset while its version is. What is in the target is replaced or
/// removed only while it is what the last sync left there, unless `force` says otherwise. Looks at
/// nothing but what it is given.
SyncPlan PlanSync(const SyncOptions& options, const LocalFiles& local, const RemoteFiles& remote,
                  const SyncedFiles& synced);

}  // namespace hangar::sync
