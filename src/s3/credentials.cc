#include "s3/credentials.h"

#include <utility>

namespace hangar {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Instance metadata gives new ones five minutes before the old ones expire, at the latest.
constexpr minutes kFetchBefore{5};
// Requests take time, and clocks differ.
constexpr minutes kUsableBefore{1};
// How long nobody asks again after a failure, and after the store refused what had just come.
constexpr seconds kPause{2};

}  // namespace

CredentialKeeper::CredentialKeeper(std::unique_ptr<CredentialSource> source,
                                   std::shared_ptr<Logger> logger, std::function<Timestamp()> now)
    : source_(std::move(source)), logger_(std::move(logger)), now_(std::move(now)) {}

bool CredentialKeeper::AreGoodFor(std::chrono::nanoseconds time) const {
  if (!current_ || is_rejected_) return false;
  return !current_->expires || *current_->expires - now_() > time;
}

// Gives the mutex up meanwhile.
void CredentialKeeper::Fetch() {
  is_fetching_ = true;
  mutex_.unlock();
  arrow::Result<S3Credentials> fetched = source_->Fetch();
  mutex_.lock();
  is_fetching_ = false;
  if (fetched.ok()) {
    current_ = *std::move(fetched);
    is_rejected_ = false;
    failed_at_.reset();
    fetched_at_ = now_();
  } else {
    failure_ = fetched.status();
    failed_at_ = now_();
    if (logger_) {
      logger_->Warning("S3 credentials could not be fetched", {{"error", failure_.message()}});
    }
  }
  fetched_.NotifyAll();
}

arrow::Result<S3Credentials> CredentialKeeper::Get() {
  const MutexLock lock(mutex_);
  while (!AreGoodFor(kFetchBefore)) {
    const bool are_usable = AreGoodFor(kUsableBefore);
    const bool failed_now = failed_at_ && now_() - *failed_at_ < kPause;
    if (are_usable && (is_fetching_ || failed_now)) break;
    if (is_fetching_) {
      fetched_.Wait(mutex_);
    } else if (failed_now) {
      return failure_;
    } else {
      Fetch();
      // What is short-lived from the start is used while it lasts.
      if (!failed_at_) break;
    }
  }
  return *current_;
}

bool CredentialKeeper::Reject(const S3Credentials& credentials) {
  const MutexLock lock(mutex_);
  if (!current_ || current_->access_key_id != credentials.access_key_id ||
      current_->secret_access_key != credentials.secret_access_key ||
      current_->session_token != credentials.session_token) {
    return true;
  }
  if (fetched_at_ && now_() - *fetched_at_ < kPause) return false;
  is_rejected_ = true;
  return true;
}

}  // namespace hangar
