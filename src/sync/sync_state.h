#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

#include "sync/sync_plan.h"

namespace hangar::sync {

/// Where a folder's syncs are remembered: what was the same on both sides, for each server and
/// prefix that it was synchronised with. Losing it harms nothing: then contents are compared.
class SyncState {
 public:
  /// Of the file; empty when there is none. FAILED_PRECONDITION when it is not such a file.
  static arrow::Result<SyncState> Load(const std::string& path, const std::string& server,
                                       const std::string& prefix);

  /// Of one server and prefix.
  SyncedFiles files;

  /// Replaces the file in one step. What it says of other servers and prefixes stays.
  arrow::Status Save() const;

 private:
  std::string path_;
  std::string remote_;  // Server and prefix.
  std::string others_;  // The file's JSON as it was.
};

}  // namespace hangar::sync
