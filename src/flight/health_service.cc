#include "flight/health_service.h"

#include <string_view>
#include <utility>

#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/method_handler.h>

namespace hangar {
namespace {

using grpc::ByteBuffer;

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";

// The whole of the protocol, in protobuf's encoding: a request is empty or holds the name of a
// service, a reply its status (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
constexpr std::string_view kWholeServerByName("\x0A\x00", 2);
constexpr char kServing[] = {'\x08', '\x01'};
constexpr char kNotServing[] = {'\x08', '\x02'};

class HealthService final : public grpc::Service {
 public:
  explicit HealthService(std::function<bool()> is_serving) : is_serving_(std::move(is_serving)) {
    using Handler = grpc::internal::RpcMethodHandler<HealthService, ByteBuffer, ByteBuffer>;
    const auto check = [](HealthService* service, grpc::ServerContext*, const ByteBuffer* request,
                          ByteBuffer* reply) { return service->Check(*request, reply); };
    AddMethod(new grpc::internal::RpcServiceMethod(kCheck, grpc::internal::RpcMethod::NORMAL_RPC,
                                                   new Handler(check, this)));
  }

 private:
  grpc::Status Check(const ByteBuffer& request, ByteBuffer* reply) const {
    // Longer ones name a service and are not looked at, however long they are.
    const bool is_short = request.Length() <= kWholeServerByName.size();
    grpc::Slice bytes;
    if (is_short && !request.DumpToSingleSlice(&bytes).ok()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "the health check cannot be read"};
    }
    const std::string_view name(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
    if (!is_short || (!name.empty() && name != kWholeServerByName)) {
      return {grpc::StatusCode::NOT_FOUND,
              "only the health of the whole server is known: ask for the service ''"};
    }
    const grpc::Slice status(is_serving_() ? kServing : kNotServing, sizeof(kServing));
    *reply = ByteBuffer(&status, 1);
    return grpc::Status::OK;
  }

  const std::function<bool()> is_serving_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeHealthService(std::function<bool()> is_serving) {
  return std::make_unique<HealthService>(std::move(is_serving));
}

}  // namespace hangar
