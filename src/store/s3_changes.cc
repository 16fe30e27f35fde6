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

arrow::Result<ObjectInfo> S3Changes::Replace(const std::string& key,
                                             const Precondition& precondition,
                                             const Write& write) const {
  ARROW_RETURN_NOT_OK(bucket_->CheckLength(key));
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
    const auto written = write(current.condition);
    if (written.ok() && (!current.is_tombstone || StaysThere(key))) {
      // With the time that the store gave it, which the answer to a write does not tell.
      auto stored = bucket_->Look(key);
      if (stored.ok() && stored->object && stored->object->version == written->etag) {
        return *std::move(stored->object);
      }
      return InfoOf(key, *written);
    }
    // Of what is still current no entry counts, so one that cannot be removed does no harm.
    if (!past.empty()) std::ignore = history_.Remove(past);
    if (!written.ok() && !IsLost(written.status())) return written.status();
  }
  return TooManyChanges(key);
}

arrow::Result<std::string> S3Changes::Take(const std::string& key, const Precondition& precondition,
                                           bool needs_copy) const {
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
    const auto taken =
        bucket_->client().Write(bucket_->Whole(key), kS3Tombstone, current.condition);
    if (taken.ok()) {
      std::ignore = bucket_->client().Delete(  // Else it is swept.
          bucket_->Whole(key), {.kind = S3Condition::Kind::kETag, .etag = taken->etag});
      return past;
    }
    if (!past.empty()) std::ignore = history_.Remove(past);
    if (!IsLost(taken.status())) return taken.status();
  }
  return TooManyChanges(key);
}

}  // namespace hangar
