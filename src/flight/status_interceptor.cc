#include "flight/status_interceptor.h"

#include <string>
#include <string_view>

#include <grpcpp/support/server_interceptor.h>

#include "base/error.h"
#include "flight/status_table.h"

namespace hangar {
namespace {

// Where Flight's gRPC transport puts a status' code, its sentence and the text of its detail.
constexpr char kCodeTrailer[] = "x-arrow-status";
constexpr char kMessageTrailer[] = "x-arrow-status-message-bin";
constexpr char kDetailTrailer[] = "x-arrow-status-detail-bin";

bool TakesUploads(std::string_view method) {
  return method.ends_with("/DoPut") || method.ends_with("/DoExchange");
}

class StatusInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit StatusInterceptor(std::string_view method) : takes_uploads_(TakesUploads(method)) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Rewrite(*methods);
    }
    methods->Proceed();
  }

 private:
  // What fails in the middle of a listing or of an action's results has gone through gRPC's form
  // and back: its kind stands at the end of the sentence alone, and the trailers, where there are
  // any, tell of the detour.
  static bool RewriteFromSentence(const grpc::Status& status,
                                  grpc::experimental::InterceptorBatchMethods& methods) {
    constexpr std::string_view kMark = ". Detail: ";
    std::string sentence = status.error_message();
    const size_t mark = sentence.rfind(kMark);
    if (mark == std::string::npos) return false;
    const std::string detail = sentence.substr(mark + kMark.size());
    const auto kind = ErrorKindFromName(detail);
    if (!kind) return false;
    sentence.resize(mark);
    auto& trailers = *methods.GetSendTrailingMetadata();
    for (const char* key : {kCodeTrailer, kMessageTrailer, kDetailTrailer}) trailers.erase(key);
    trailers.emplace(kCodeTrailer,
                     std::to_string(static_cast<int>(MakeError(*kind, sentence).code())));
    trailers.emplace(kMessageTrailer, sentence);
    trailers.emplace(kDetailTrailer, detail);
    methods.ModifySendStatus(
        grpc::Status(static_cast<grpc::StatusCode>(GrpcCode(*kind)), sentence));
    return true;
  }

  void Rewrite(grpc::experimental::InterceptorBatchMethods& methods) const {
    const grpc::Status status = methods.GetSendStatus();
    auto* trailers = methods.GetSendTrailingMetadata();
    if (status.ok() || trailers == nullptr) return;
    const auto detail = trailers->find(kDetailTrailer);
    const bool names_a_kind = detail != trailers->end() && ErrorKindFromName(detail->second);
    if (!names_a_kind && RewriteFromSentence(status, methods)) return;
    if (detail == trailers->end()) {
      // gRPC had no thread left for the call and says so without a sentence.
      if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
        methods.ModifySendStatus(grpc::Status(
            grpc::StatusCode::RESOURCE_EXHAUSTED,
            "the server has as many calls under way as it can; try again in a second"));
        return;
      }
      // Flight reads the first message before it calls the handler, and calls what is wrong with
      // it UNKNOWN.
      if (!takes_uploads_ || status.error_code() == grpc::StatusCode::CANCELLED) return;
      trailers->erase(kCodeTrailer);
      trailers->erase(kMessageTrailer);
      methods.ModifySendStatus(grpc::Status(
          grpc::StatusCode::INVALID_ARGUMENT,
          "the upload's first message is malformed: it must hold a descriptor and a schema"));
      return;
    }
    const auto kind = ErrorKindFromName(detail->second);
    const auto code = kind ? static_cast<grpc::StatusCode>(GrpcCode(*kind)) : status.error_code();
    // Flight appends the detail to the sentence; for clients that read gRPC's status the code says
    // the same.
    std::string sentence = status.error_message();
    const std::string suffix = ". Detail: " + detail->second;
    if (sentence.ends_with(suffix)) sentence.resize(sentence.size() - suffix.size());
    methods.ModifySendStatus(grpc::Status(code, sentence, status.error_details()));
  }

  const bool takes_uploads_;
};

class StatusInterceptorFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* call) override {
    return new StatusInterceptor(call->method());  // gRPC owns it.
  }
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeStatusInterceptor() {
  return std::make_unique<StatusInterceptorFactory>();
}

}  // namespace hangar
