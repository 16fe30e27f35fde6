#include "store/key_locks.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"

namespace hangar {
namespace {

// Part of what processes agree on through the lock file: two versions of Hangar that share a data
// folder must put a key into the same stripe.
size_t StripeOf(std::string_view key) {
  return XXH3_64bits(key.data(), key.size()) % KeyLocks::kStripes;
}

int SetLock(int file, size_t byte, short type) {
  struct flock range{};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(byte);
  range.l_len = 1;
  while (::fcntl(file, F_OFD_SETLKW, &range) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

arrow::Status KeyLocks::Held::Add(size_t stripe) {
  const size_t slot = stripes_[0].owns_lock() ? 1 : 0;
  std::unique_lock<Mutex> mutex(locks_->mutexes_[stripe]);
  if (SetLock(locks_->file_.get(), stripe, F_WRLCK) != 0) {
    return Error(ErrorKind::kInternal, "the data folder's file system cannot lock files");
  }
  stripes_[slot] = std::move(mutex);
  bytes_[slot] = stripe;
  return arrow::Status::OK();
}

KeyLocks::Held::~Held() {
  // The byte goes first: as long as the mutex is held no thread here asks for it.
  for (size_t slot = 0; slot < stripes_.size(); ++slot) {
    if (stripes_[slot].owns_lock()) SetLock(locks_->file_.get(), bytes_[slot], F_UNLCK);
  }
}

arrow::Result<KeyLocks::Held> KeyLocks::Lock(std::string_view key) {
  Held held(this);
  ARROW_RETURN_NOT_OK(held.Add(StripeOf(key)));
  return held;
}

arrow::Result<KeyLocks::Held> KeyLocks::Lock(std::string_view key, std::string_view other_key) {
  const auto [first, second] = std::minmax({StripeOf(key), StripeOf(other_key)});
  Held held(this);
  ARROW_RETURN_NOT_OK(held.Add(first));
  if (second != first) ARROW_RETURN_NOT_OK(held.Add(second));
  return held;
}

}  // namespace hangar
