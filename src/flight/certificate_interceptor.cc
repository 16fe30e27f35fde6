#include "flight/certificate_interceptor.h"

#include <map>
#include <string>

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_interceptor.h>

#include "flight/access_middleware.h"

namespace hangar {
namespace {

using Headers = std::multimap<grpc::string_ref, grpc::string_ref>;

// One call; gRPC keeps it, and with it the certificate, for longer than the headers.
class CertificateInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit CertificateInterceptor(grpc::ServerContextBase* context) : context_(context) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      Replace(*methods->GetRecvInitialMetadata());
    }
    methods->Proceed();
  }

 private:
  void Replace(Headers& headers) {
    const grpc::string_ref name(kCertificateHeader.data(), kCertificateHeader.size());
    headers.erase(name);
    const auto connection = context_->auth_context();
    if (connection == nullptr) return;
    // TlsCredentials asks for certificates only to verify them, so one that is there was verified.
    const auto found = connection->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (found.empty()) return;
    certificate_.assign(found.front().data(), found.front().size());
    headers.emplace(name, grpc::string_ref(certificate_.data(), certificate_.size()));
  }

  grpc::ServerContextBase* const context_;
  std::string certificate_;
};

class CertificateInterceptorFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* call) override {
    return new CertificateInterceptor(call->server_context());  // gRPC owns it.
  }
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
MakeCertificateInterceptor() {
  return std::make_unique<CertificateInterceptorFactory>();
}

}  // namespace hangar
