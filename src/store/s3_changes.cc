#include "store/s3_changes.h"

#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/s3_layout.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// A loser of a race looks again. With jitter, as losers come in crowds.
constexpr int kAttempts = 30;

void PauseAfter(int attempt) {
  thread_local std::minstd_rand random{std::random_device()()};
  const int most = std::min(10 << std::min(attempt, 5), 200);
  std::this_thread::sleep_for(
      std::chrono::milliseconds(std::uniform_int_distribution<int>(0, most)(random)));
}

bool IsLost(const arrow::Status& status) {
  const ErrorKind kind = KindOf(status);
  return !status.ok() && (kind == ErrorKind::kFailedPrecondition || kind == ErrorKind::kNotFound);
}

// How long a deletion may take between comparing the version and deleting, at the most.
constexpr std::chrono::seconds kDeletionTakes{1};

arrow::Status TooManyChanges(const std::string& key) {
  return Error(ErrorKind::kUnavailable, "{} is changed by others all the time; try again",
               Quoted(key));
}

arrow::Status Check(const std::string& key, const Precondition& precondition,
                    const std::optional<ObjectInfo>& current) {
  return CheckPrecondition(key, precondition, current ? &*current : nullptr);
}

}  // namespace

// Of an object that was written over a tombstone: the deletion of that may have been under way.
bool S3Changes::StaysThere(const std::string& key) const {
  std::this_thread::sleep_for(kDeletionTakes);
  const auto current = bucket_->client().Head(bucket_->Whole(key));
  // Where another one is there, ours was there before it.
  return current.ok() || KindOf(current.status()) != ErrorKind::kNotFound;
}

std::unique_lock<Mutex> S3Changes::LockIfSingle(const std::string& key) const {
  if (!is_single_writer_) return {};
  return std::unique_lock(mutexes_[std::hash<std::string>()(key) % mutexes_.size()]);
}

arrow::Result<S3Object> S3Changes::WriteOver(const S3Bucket::Current& current,
                                             const Write& write) const {
  return write(is_single_writer_ ? S3Condition{} : current.condition);
}

arrow::Status S3Changes::Remove(const std::string& key, const S3Bucket::Current& current) const {
  const std::string whole = bucket_->Whole(key);
  if (is_single_writer_) return bucket_->client().Delete(whole, {});
  ARROW_ASSIGN_OR_RAISE(const S3Object tombstone,
                        bucket_->client().Write(whole, kS3Tombstone, current.condition));
  std::ignore = bucket_->client().Delete(  // Else it is swept.
      whole, {.kind = S3Condition::Kind::kETag, .etag = tombstone.etag});
  return arrow::Status::OK();
}

// Removes the copy that was made before a change that failed. One whose answer is missing may have
// been made: then the copy is all there is of what stood there. Of what is still current no copy
// counts, so one too many does no harm.
void S3Changes::TakeBack(const std::string& past, const arrow::Status& failure) const {
  if (past.empty() || KindOf(failure) == ErrorKind::kUnavailable) return;
  std::ignore = history_.Remove(past);
}

arrow::Result<ObjectInfo> S3Changes::Replace(const std::string& key,
                                             const Precondition& precondition,
                                             const Write& write) const {
  ARROW_RETURN_NOT_OK(bucket_->CheckLength(key));
  const auto lock = LockIfSingle(key);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) PauseAfter(attempt);
    ARROW_ASSIGN_OR_RAISE(const S3Bucket::Current current, bucket_->Look(key));
    ARROW_RETURN_NOT_OK(Check(key, precondition, current.object));
    std::string past;
    if (current.object && keeps_past_) {
      auto added = history_.Add(*current.object, RetiredBy::kReplaced);
      if (IsLost(added.status())) continue;
      ARROW_ASSIGN_OR_RAISE(past, std::move(added));
    }
    const auto written = WriteOver(current, write);
    if (written.ok() && (!current.is_tombstone || StaysThere(key))) {
      // With the time that the store gave it, which the answer to a write does not tell.
      auto stored = bucket_->Look(key);
      if (stored.ok() && stored->object && stored->object->version == written->etag) {
        return *std::move(stored->object);
      }
      return InfoOf(key, *written);
    }
    TakeBack(past, written.status());
    if (!written.ok() && !IsLost(written.status())) return written.status();
  }
  return TooManyChanges(key);
}

arrow::Result<std::string> S3Changes::Take(const std::string& key, const Precondition& precondition,
                                           bool needs_copy) const {
  const auto lock = LockIfSingle(key);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) PauseAfter(attempt);
    ARROW_ASSIGN_OR_RAISE(const S3Bucket::Current current, bucket_->Look(key));
    if (!current.object) return NoSuchObject(key);
    ARROW_RETURN_NOT_OK(Check(key, precondition, current.object));
    std::string past;
    if (keeps_past_ || needs_copy) {
      auto added = history_.Add(*current.object, RetiredBy::kDropped);
      if (IsLost(added.status())) continue;
      ARROW_ASSIGN_OR_RAISE(past, std::move(added));
    }
    const auto removed = Remove(key, current);
    if (removed.ok()) return past;
    TakeBack(past, removed);
    if (!IsLost(removed)) return removed;
  }
  return TooManyChanges(key);
}

}  // namespace hangar
