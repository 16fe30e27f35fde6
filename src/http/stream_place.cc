#include "http/stream_place.h"

#include <string>
#include <utility>

#include "service/call_limits.h"

namespace hangar {
namespace {

class StreamPlace {
 public:
  StreamPlace(std::shared_ptr<CallLimits> limits, std::string caller, bool is_upload)
      : limits_(std::move(limits)), caller_(std::move(caller)), is_upload_(is_upload) {}
  ~StreamPlace() { limits_->End(caller_, is_upload_); }
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;

 private:
  const std::shared_ptr<CallLimits> limits_;
  const std::string caller_;
  const bool is_upload_;
};

}  // namespace

arrow::Result<std::shared_ptr<void>> TakeStreamPlace(const HttpContext& context,
                                                     const HttpRequest& request, bool is_upload) {
  if (context.limits == nullptr) return nullptr;
  const std::string caller = CallerKey(request.caller.identity.get(), request.address);
  ARROW_RETURN_NOT_OK(context.limits->Begin(caller, is_upload));
  return std::make_shared<StreamPlace>(context.limits, caller, is_upload);
}

}  // namespace hangar
