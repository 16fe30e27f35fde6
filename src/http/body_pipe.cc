#include "http/body_pipe.h"

#include <algorithm>
#include <cstring>

#include <arrow/buffer.h>

#include "service/caller.h"

namespace hangar {
namespace {

constexpr size_t kWaitingBytesMax = 1 << 20;
constexpr int64_t kFirstBlockBytes = 1 << 20;

}  // namespace

bool BodyPipe::Write(std::string_view bytes) {
  const MutexLock lock(mutex_);
  while (!bytes.empty()) {
    while (!is_closed_ && waiting_.size() - taken_ >= kWaitingBytesMax) changed_.Wait(mutex_);
    if (is_closed_) return false;
    if (taken_ > 0) {
      waiting_.erase(0, taken_);
      taken_ = 0;
    }
    const size_t count = std::min(bytes.size(), kWaitingBytesMax - waiting_.size());
    waiting_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
    changed_.NotifyAll();
  }
  return !is_closed_;
}

void BodyPipe::Finish() {
  const MutexLock lock(mutex_);
  if (end_ == End::kOpen) end_ = End::kWhole;
  changed_.NotifyAll();
}

void BodyPipe::BreakOff() {
  const MutexLock lock(mutex_);
  end_ = End::kBrokenOff;
  changed_.NotifyAll();
}

arrow::Result<int64_t> BodyPipe::Read(int64_t length, void* out) {
  const MutexLock lock(mutex_);
  int64_t read = 0;
  while (read < length) {
    while (end_ == End::kOpen && !is_closed_ && taken_ == waiting_.size()) changed_.Wait(mutex_);
    if (end_ == End::kBrokenOff || is_closed_) return CallerIsGone();
    const int64_t count = std::min(length - read, static_cast<int64_t>(waiting_.size() - taken_));
    if (count == 0) break;
    std::memcpy(static_cast<char*>(out) + read, waiting_.data() + taken_,
                static_cast<size_t>(count));
    taken_ += static_cast<size_t>(count);
    read += count;
    changed_.NotifyAll();
  }
  position_ += read;
  return read;
}

// How much is asked for may be what somebody wrote into their body: memory grows with what comes.
arrow::Result<std::shared_ptr<arrow::Buffer>> BodyPipe::Read(int64_t length) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(0));
  int64_t block = std::min(length, kFirstBlockBytes);
  while (block > 0) {
    const int64_t before = buffer->size();
    ARROW_RETURN_NOT_OK(buffer->Resize(before + block));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, Read(block, buffer->mutable_data() + before));
    if (read < block) {
      ARROW_RETURN_NOT_OK(buffer->Resize(before + read));
      break;
    }
    block = std::min(length - buffer->size(), buffer->size());
  }
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

arrow::Result<int64_t> BodyPipe::Tell() const {
  const MutexLock lock(mutex_);
  return position_;
}

arrow::Status BodyPipe::Close() {
  const MutexLock lock(mutex_);
  is_closed_ = true;
  changed_.NotifyAll();
  return arrow::Status::OK();
}

bool BodyPipe::closed() const {
  const MutexLock lock(mutex_);
  return is_closed_;
}

}  // namespace hangar
