#include "sync/sync_run.h"

#include <algorithm>
#include <format>
#include <memory>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include <arrow/buffer.h>

#include "base/error.h"
#include "base/text.h"
#include "files/parquet_upload.h"
#include "files/sha256.h"
#include "sync/page_check.h"

namespace hangar::sync {
namespace {

using Kind = SyncOutcome::Kind;

// How long what was done may be remembered in memory only: what a killed run forgot is compared.
constexpr auto kSaveEvery = std::chrono::seconds(2);
// A transfer that lost its connection is tried so often in all.
constexpr int kAttempts = 3;

// An upload's own name: where an answer was lost, another attempt learns what became of it.
std::string MakeUploadId() {
  std::random_device random;
  std::string id = "sync-";
  for (int i = 0; i < 4; ++i) id += std::format("{:08x}", random());
  return id;
}

// What the target's state has to do with, as opposed to what would fail in any state.
bool IsConflict(const arrow::Status& status) {
  const ErrorKind kind = KindOf(status);
  return kind == ErrorKind::kAlreadyExists || kind == ErrorKind::kFailedPrecondition;
}

}  // namespace

SyncRun::SyncRun(Setting setting, SyncFolder& folder, SyncState& state, const LocalFiles& local,
                 SyncCallbacks callbacks)
    : setting_(std::move(setting)),
      folder_(folder),
      local_(local),
      callbacks_(std::move(callbacks)),
      state_(state),
      saved_(std::chrono::steady_clock::now()) {}

arrow::Status SyncRun::Run(const std::vector<SyncAction>& actions) {
  // Removals come last, when all that has to be copied is there.
  const auto removals = std::ranges::find(actions, SyncStep::kRemove, &SyncAction::step);
  const std::vector<SyncAction> phases[] = {{actions.begin(), removals}, {removals, actions.end()}};
  for (const std::vector<SyncAction>& phase : phases) {
    {
      const MutexLock lock(mutex_);
      next_ = 0;
    }
    const size_t threads = std::min(phase.size(), static_cast<size_t>(setting_.jobs));
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < threads; ++i) workers.emplace_back([&] { Work(phase); });
  }
  const arrow::Status saved = SaveState();
  const MutexLock lock(mutex_);
  return stopped_.ok() ? saved : stopped_;
}

void SyncRun::Work(const std::vector<SyncAction>& actions) {
  const auto client = client::Client::Connect(setting_.connection);
  if (!client.ok()) return Stop(client.status());
  while (const auto index = Take(actions.size())) {
    End(Do(**client, actions[*index]));
  }
}

SyncOutcome SyncRun::Do(const client::Client& client, const SyncAction& action) {
  if (action.step == SyncStep::kConflict) {
    return {action, Kind::kConflict,
            Error(ErrorKind::kFailedPrecondition, "{} {}", Quoted(action.path), action.reason)};
  }
  const auto kind = TryAgain(client, action);
  if (kind.ok()) return {action, *kind, {}};
  if (KindOf(kind.status()) == ErrorKind::kUnavailable ||
      KindOf(kind.status()) == ErrorKind::kUnauthenticated) {
    Stop(kind.status());
  }
  const bool conflict = IsConflict(kind.status());
  return {action, conflict ? Kind::kConflict : Kind::kFailed, kind.status()};
}

arrow::Result<Kind> SyncRun::TryAgain(const client::Client& client, const SyncAction& action) {
  const std::string upload_id = MakeUploadId();
  const bool up = setting_.options.direction == SyncDirection::kUp;
  for (int attempt = 1;; ++attempt) {
    const auto kind = action.step == SyncStep::kRemove ? Remove(client, action)
                      : up                             ? Upload(client, action, upload_id)
                                                       : Download(client, action);
    if (kind.ok() || KindOf(kind.status()) != ErrorKind::kUnavailable || attempt == kAttempts) {
      return kind;
    }
    std::this_thread::sleep_for(std::chrono::seconds(attempt));  // A server that starts anew.
  }
}

arrow::Result<Kind> SyncRun::Upload(const client::Client& client, const SyncAction& action,
                                    const std::string& upload_id) {
  ARROW_RETURN_NOT_OK(folder_.Look(action.path).status());
  std::unique_ptr<Sha256> digest;
  std::shared_ptr<ParquetUpload> file;
  const client::FileSource source =
      [&]() -> arrow::Result<std::shared_ptr<arrow::io::InputStream>> {
    digest = std::make_unique<Sha256>();
    ARROW_ASSIGN_OR_RAISE(file, ParquetUpload::Open(folder_.PathOf(action.path), digest.get()));
    return file;
  };
  // With an id the server compares first, so that what is the same is never a conflict.
  const bool replaces = action.step == SyncStep::kCopy || setting_.options.force;
  int64_t sent = 0;
  const client::PutFileOptions put{
      .create = action.version.empty() || !replaces,
      .if_version = replaces ? action.version : "",
      .upload_id = upload_id,
      .on_progress = [&](int64_t bytes) { CountBytes(bytes - std::exchange(sent, bytes)); }};
  ARROW_ASSIGN_OR_RAISE(const auto summary,
                        client.PutFile(DatasetAt(setting_.prefix, action.path), source, put));
  if (summary.bytes != file->size_bytes()) {
    return Error(ErrorKind::kDataLoss, "{}: the server stored {} bytes of {}", Quoted(action.path),
                 summary.bytes, file->size_bytes());
  }
  Remember(action.path, {.version = summary.version,
                         .local = {.bytes = file->size_bytes(), .modified_ns = file->modified_ns()},
                         .sha256 = digest->Finish()});
  return summary.repeated && summary.version == action.version ? Kind::kSame : Kind::kDone;
}

// Gives the digest of what came.
arrow::Result<std::string> SyncRun::ReceiveBytes(const client::Client& client,
                                                 const SyncAction& action, IncomingFile& incoming) {
  ARROW_ASSIGN_OR_RAISE(const auto file, client.GetFile(DatasetAt(setting_.prefix, action.path),
                                                        {.version = action.version}));
  Sha256 digest;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto block, file.blocks->Next());
    if (block == nullptr) break;
    const std::string_view bytes(*block);
    digest.Update(bytes);
    ARROW_RETURN_NOT_OK(incoming.Write(bytes));
    CountBytes(block->size());
  }
  ARROW_RETURN_NOT_OK(incoming.Seal());
  return digest.Finish();
}

arrow::Result<Kind> SyncRun::Download(const client::Client& client, const SyncAction& action) {
  ARROW_ASSIGN_OR_RAISE(const auto incoming, folder_.Receive(action.path));
  ARROW_ASSIGN_OR_RAISE(const std::string sha256, ReceiveBytes(client, action, *incoming));
  const auto known = Known(action.path);
  if (known && known->version == action.version && known->sha256 != sha256) {
    return Error(ErrorKind::kDataLoss,
                 "{} did not arrive whole: its checksum is not that of the last sync",
                 Quoted(action.path));
  }
  ARROW_RETURN_NOT_OK(CheckPages(incoming->path()));
  const auto before = local_.find(action.path);
  if (action.step == SyncStep::kCompare) {
    ARROW_ASSIGN_OR_RAISE(const std::string there, folder_.Digest(action.path));
    if (there == sha256) {
      Remember(action.path, {.version = action.version, .local = before->second, .sha256 = sha256});
      return Kind::kSame;
    }
    if (!setting_.options.force) {
      return Error(ErrorKind::kFailedPrecondition,
                   "{} is in the target already, is another, and no sync has put it there",
                   Quoted(action.path));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const LocalFile local,
                        incoming->Publish(before == local_.end() ? nullptr : &before->second));
  Remember(action.path, {.version = action.version, .local = local, .sha256 = sha256});
  return Kind::kDone;
}

arrow::Result<Kind> SyncRun::Remove(const client::Client& client, const SyncAction& action) {
  if (setting_.options.direction == SyncDirection::kDown) {
    ARROW_RETURN_NOT_OK(folder_.Remove(action.path, local_.at(action.path)));
  } else {
    ARROW_RETURN_NOT_OK(
        client.Drop(DatasetAt(setting_.prefix, action.path), {.if_version = action.version}));
  }
  Forget(action.path);
  return Kind::kDone;
}

arrow::Status SyncRun::SaveState() {
  const MutexLock lock(mutex_);
  saved_ = std::chrono::steady_clock::now();
  return state_.Save();
}

void SyncRun::CountBytes(int64_t bytes) {
  const MutexLock lock(mutex_);
  callbacks_.on_bytes(bytes);
}

std::optional<SyncedFile> SyncRun::Known(const std::string& path) {
  const MutexLock lock(mutex_);
  const auto found = state_.files.find(path);
  return found == state_.files.end() ? std::nullopt : std::optional(found->second);
}

void SyncRun::Remember(const std::string& path, SyncedFile file) {
  const MutexLock lock(mutex_);
  state_.files[path] = std::move(file);
}

void SyncRun::Forget(const std::string& path) {
  const MutexLock lock(mutex_);
  state_.files.erase(path);
}

void SyncRun::End(const SyncOutcome& outcome) {
  const MutexLock lock(mutex_);
  callbacks_.on_outcome(outcome);
  const auto now = std::chrono::steady_clock::now();
  if (now - saved_ < kSaveEvery) return;
  saved_ = now;
  const arrow::Status status = state_.Save();
  if (!status.ok() && stopped_.ok()) stopped_ = status;
}

std::optional<size_t> SyncRun::Take(size_t actions) {
  const MutexLock lock(mutex_);
  if (!stopped_.ok() || next_ == actions) return std::nullopt;
  return next_++;
}

void SyncRun::Stop(const arrow::Status& status) {
  const MutexLock lock(mutex_);
  if (stopped_.ok()) stopped_ = status;
}

}  // namespace hangar::sync
