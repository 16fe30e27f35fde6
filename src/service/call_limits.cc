#include "service/call_limits.h"

#include "access/identity.h"
#include "base/error.h"

namespace hangar {

std::string CallerKey(const Identity* identity, std::string_view address) {
  const bool is_known = identity != nullptr && identity->kind != IdentityKind::kAnonymous;
  return is_known ? identity->ToString() : std::string(address);
}

arrow::Status CallLimits::CheckRoom(const Share& of_caller, bool is_upload) const {
  if (all_.streams >= options_.streams) {
    return Error(ErrorKind::kResourceExhausted,
                 "{} reads, listings and uploads are under way, as many as this server lets run at "
                 "once (its setting max_streams); try again in a second",
                 options_.streams);
  }
  if (is_upload && all_.uploads >= options_.uploads) {
    return Error(ErrorKind::kResourceExhausted,
                 "{} uploads are under way, as many as this server lets run at once (its setting "
                 "max_uploads); try again in a second",
                 options_.uploads);
  }
  if (of_caller.streams >= options_.streams_per_caller) {
    return Error(ErrorKind::kResourceExhausted,
                 "{} reads, listings and uploads of yours are under way, as many as this server "
                 "lets one caller run at once (its setting max_streams_per_caller); try again in a "
                 "second",
                 options_.streams_per_caller);
  }
  if (is_upload && of_caller.uploads >= options_.uploads_per_caller) {
    return Error(ErrorKind::kResourceExhausted,
                 "{} uploads of yours are under way, as many as this server lets one caller run at "
                 "once (its setting max_uploads_per_caller); try again in a second",
                 options_.uploads_per_caller);
  }
  return arrow::Status::OK();
}

arrow::Status CallLimits::Begin(const std::string& caller, bool is_upload) {
  MutexLock lock(mutex_);
  const auto found = by_caller_.find(caller);
  ARROW_RETURN_NOT_OK(CheckRoom(found != by_caller_.end() ? found->second : Share{}, is_upload));
  Share& of_caller = by_caller_[caller];
  for (Share* share : {&all_, &of_caller}) {
    ++share->streams;
    if (is_upload) ++share->uploads;
  }
  return arrow::Status::OK();
}

void CallLimits::End(const std::string& caller, bool is_upload) {
  MutexLock lock(mutex_);
  const auto of_caller = by_caller_.find(caller);
  for (Share* share : {&all_, &of_caller->second}) {
    --share->streams;
    if (is_upload) --share->uploads;
  }
  if (of_caller->second.streams == 0) by_caller_.erase(of_caller);
}

}  // namespace hangar
