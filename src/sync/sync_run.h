#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <arrow/status.h>

#include "base/mutex.h"
#include "client/client.h"
#include "sync/sync_folder.h"
#include "sync/sync_plan.h"
#include "sync/sync_state.h"

namespace hangar::sync {

/// What came of one action.
struct SyncOutcome {
  enum class Kind {
    kDone,
    kSame,      ///< Compared, and nothing had to be done.
    kConflict,  ///< Nothing was done, as the target is not what it was taken for.
    kFailed,
  };

  SyncAction action;
  Kind kind = Kind::kDone;
  arrow::Status error;  ///< Of a conflict or failure; else OK.
};

/// Called one at a time, from any thread.
struct SyncCallbacks {
  std::function<void(int64_t bytes)> on_bytes;  ///< That were copied since the last call.
  std::function<void(const SyncOutcome& outcome)> on_outcome;
};

/// Does what a plan says, several actions at a time, each over a connection of its own. What is
/// done is remembered as it is done, so that another run goes on where this one ended.
class SyncRun {
 public:
  struct Setting {
    SyncOptions options;
    std::string prefix;
    client::ClientOptions connection;
    int jobs = 1;
  };

  /// All outlive the run. `local` is what the plan was made of.
  SyncRun(Setting setting, SyncFolder& folder, SyncState& state, const LocalFiles& local,
          SyncCallbacks callbacks);

  /// Blocks until all is done, or the server cannot be reached any more, which is the error.
  arrow::Status Run(const std::vector<SyncAction>& actions);

  /// Saves what is remembered. For the end of the process.
  arrow::Status SaveState() HANGAR_EXCLUDES(mutex_);

 private:
  void Work(const std::vector<SyncAction>& actions);
  SyncOutcome Do(const client::Client& client, const SyncAction& action);
  arrow::Result<SyncOutcome::Kind> TryAgain(const client::Client& client, const SyncAction& action);
  arrow::Result<SyncOutcome::Kind> Upload(const client::Client& client, const SyncAction& action,
                                          const std::string& upload_id);
  arrow::Result<SyncOutcome::Kind> Download(const client::Client& client, const SyncAction& action);
  arrow::Result<SyncOutcome::Kind> Remove(const client::Client& client, const SyncAction& action);
  arrow::Result<std::string> ReceiveBytes(const client::Client& client, const SyncAction& action,
                                          IncomingFile& incoming);

  void CountBytes(int64_t bytes) HANGAR_EXCLUDES(mutex_);
  std::optional<SyncedFile> Known(const std::string& path) HANGAR_EXCLUDES(mutex_);
  void Remember(const std::string& path, SyncedFile file) HANGAR_EXCLUDES(mutex_);
  void Forget(const std::string& path) HANGAR_EXCLUDES(mutex_);
  void End(const SyncOutcome& outcome) HANGAR_EXCLUDES(mutex_);
  // The next action's index, or nullopt when there is none or the run was stopped.
  std::optional<size_t> Take(size_t actions) HANGAR_EXCLUDES(mutex_);
  void Stop(const arrow::Status& status) HANGAR_EXCLUDES(mutex_);

  const Setting setting_;
  SyncFolder& folder_;
  const LocalFiles& local_;
  const SyncCallbacks callbacks_;

  Mutex mutex_;
  SyncState& state_ HANGAR_GUARDED_BY(mutex_);
  size_t next_ HANGAR_GUARDED_BY(mutex_) = 0;
  arrow::Status stopped_ HANGAR_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point saved_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar::sync
