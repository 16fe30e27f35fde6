#include "http/http_tls.h"

#include <string_view>
#include <utility>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/error.h"

namespace hangar {
namespace {

gnutls_datum_t DatumOf(const std::string& text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

// What CheckTlsMaterial let pass, GnuTLS may yet refuse.
arrow::Status Unusable(std::string_view what, int error) {
  return Error(ErrorKind::kInvalidArgument, "the {} cannot be used for HTTP: {}", what,
               gnutls_strerror(error));
}

gnutls_certificate_request_t RequestOf(ClientCertificateMode mode) {
  switch (mode) {
    case ClientCertificateMode::kOff:
      return GNUTLS_CERT_IGNORE;
    case ClientCertificateMode::kOptional:
      return GNUTLS_CERT_REQUEST;
    case ClientCertificateMode::kRequired:
      break;
  }
  return GNUTLS_CERT_REQUIRE;
}

// Called within the handshake; anything but 0 ends it.
int VerifyClient(gnutls_session_t session) {
  unsigned count = 0;
  gnutls_certificate_get_peers(session, &count);
  // Where one is required GnuTLS itself ends a handshake without.
  if (count == 0) return 0;
  gnutls_typed_vdata_st purpose{};
  purpose.type = GNUTLS_DT_KEY_PURPOSE_OID;
  purpose.data = reinterpret_cast<unsigned char*>(const_cast<char*>(GNUTLS_KP_TLS_WWW_CLIENT));
  unsigned status = 0;
  const int result = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
  return result == GNUTLS_E_SUCCESS && status == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

}  // namespace

arrow::Result<std::shared_ptr<const HttpTlsCredentials>> HttpTlsCredentials::Make(
    const TlsMaterial& material, ClientCertificateMode mode) {
  if (material.client_ca.empty()) mode = ClientCertificateMode::kOff;
  gnutls_certificate_credentials_t credentials = nullptr;
  if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS) {
    return MakeError(ErrorKind::kResourceExhausted, "there is no memory for a certificate");
  }
  std::shared_ptr<const HttpTlsCredentials> made(new HttpTlsCredentials(credentials, mode));
  const gnutls_datum_t certificate = DatumOf(material.certificate);
  const gnutls_datum_t key = DatumOf(material.key);
  if (const int error =
          gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
      error < 0) {
    return Unusable("TLS certificate with its key", error);
  }
  if (mode == ClientCertificateMode::kOff) return made;
  const gnutls_datum_t trusted = DatumOf(material.client_ca);
  if (const int count =
          gnutls_certificate_set_x509_trust_mem(credentials, &trusted, GNUTLS_X509_FMT_PEM);
      count <= 0) {
    return Unusable("client CA", count < 0 ? count : GNUTLS_E_NO_CERTIFICATE_FOUND);
  }
  gnutls_certificate_set_verify_function(credentials, VerifyClient);
  return made;
}

HttpTlsCredentials::~HttpTlsCredentials() { gnutls_certificate_free_credentials(credentials_); }

void HttpTlsCredentials::UseFor(gnutls_session_t session) const {
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_);
  gnutls_certificate_server_set_request(session, RequestOf(mode_));
}

arrow::Result<std::unique_ptr<ReloadedHttpTls>> ReloadedHttpTls::Make(
    const DoorTls& options, std::shared_ptr<Logger> logger) {
  std::unique_ptr<ReloadedHttpTls> tls(
      new ReloadedHttpTls(options.files, options.client_certificates, std::move(logger)));
  const MutexLock lock(tls->mutex_);
  tls->tried_ = tls->files_->Current();
  ARROW_ASSIGN_OR_RAISE(tls->current_, HttpTlsCredentials::Make(*tls->tried_, tls->mode_));
  return tls;
}

ReloadedHttpTls::ReloadedHttpTls(std::shared_ptr<TlsFiles> files, ClientCertificateMode mode,
                                 std::shared_ptr<Logger> logger)
    : files_(std::move(files)), mode_(mode), logger_(std::move(logger)) {}

std::shared_ptr<const HttpTlsCredentials> ReloadedHttpTls::Current() {
  const MutexLock lock(mutex_);
  auto material = files_->Current();
  if (material == tried_) return current_;
  tried_ = std::move(material);
  auto made = HttpTlsCredentials::Make(*tried_, mode_);
  if (made.ok()) {
    current_ = *std::move(made);
  } else {
    logger_->Warning("the HTTP door goes on with its old certificate",
                     {{"reason", made.status().message()}});
  }
  return current_;
}

std::optional<std::string> ClientCertificateOf(gnutls_session_t session) {
  unsigned count = 0;
  const gnutls_datum_t* const peers = gnutls_certificate_get_peers(session, &count);
  if (peers == nullptr || count == 0) return std::nullopt;
  gnutls_datum_t pem{};
  if (gnutls_pem_base64_encode2("CERTIFICATE", &peers[0], &pem) != GNUTLS_E_SUCCESS) {
    return std::nullopt;
  }
  std::string text(reinterpret_cast<const char*>(pem.data), pem.size);
  gnutls_free(pem.data);
  return text;
}

}  // namespace hangar
