#include "flight/tls_credentials.h"

#include <string>
#include <utility>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include "base/mutex.h"

namespace hangar {
namespace {

grpc_ssl_client_certificate_request_type RequestType(ClientCertificateMode mode) {
  switch (mode) {
    case ClientCertificateMode::kOff:
      return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    case ClientCertificateMode::kOptional:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientCertificateMode::kRequired:
      break;
  }
  return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
}

// gRPC has a callback for certificates that change (grpc/grpc_security.h), which its C++ classes do
// not offer: they watch files by themselves, and take a key and a certificate that do not fit
// together. Hence credentials of our own, which only open the port with gRPC's.
class TlsCredentials final : public grpc::ServerCredentials {
 public:
  TlsCredentials(std::shared_ptr<TlsFiles> files, ClientCertificateMode mode)
      : files_(std::move(files)),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(RequestType(mode),
                                                                            &Fetch, this))) {}
  ~TlsCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  // Called at the start and at each handshake.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<TlsCredentials*>(self)->Fetch(config);
  }

  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config)
      HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    auto material = files_->Current();
    if (material == given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {material->key.c_str(), material->certificate.c_str()};
    // gRPC wants some authority also where no client is asked for a certificate, and then it stands
    // for nothing.
    const std::string& roots =
        material->client_ca.empty() ? material->certificate : material->client_ca;
    *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
    given_ = std::move(material);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  const std::shared_ptr<TlsFiles> files_;
  grpc_server_credentials* const credentials_;
  Mutex mutex_;
  std::shared_ptr<const TlsMaterial> given_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(std::shared_ptr<TlsFiles> files,
                                                            ClientCertificateMode mode) {
  return std::make_shared<TlsCredentials>(std::move(files), mode);
}

}  // namespace hangar
