#include "app/access_parts.h"

#include <chrono>
#include <utility>

namespace hangar {
namespace {

AuthenticatorOptions AuthenticationOf(const ServeOptions& options) {
  const Access& access = options.access;
  return {
      .token_file = access.token_file,
      .user_file = access.user_file,
      .session_lifetime = std::chrono::duration_cast<std::chrono::seconds>(access.session_lifetime),
      .session_key = access.session_key,
      .jwks = access.jwks,
      .jwt_issuer = access.jwt_issuer,
      .jwt_audience = access.jwt_audience,
      .jwt_name_claim = access.jwt_name_claim,
      .jwt_groups_claim = access.jwt_groups_claim,
      .certificates = !options.tls.client_ca.empty() &&
                      options.tls.client_certificates != ClientCertificates::kOff};
}

arrow::Result<std::shared_ptr<PolicyKeeper>> PolicyOf(const ServeOptions& options,
                                                      bool is_authenticated,
                                                      std::shared_ptr<Logger> logger) {
  if (!options.access.policy.empty()) {
    return PolicyKeeper::OfFile(options.access.policy, std::move(logger));
  }
  return std::make_shared<PolicyKeeper>(is_authenticated ? AccessPolicy::AuthenticatedMayAll()
                                                         : AccessPolicy::EveryoneMayAll());
}

ClientCertificateMode ModeOf(ClientCertificates setting) {
  switch (setting) {
    case ClientCertificates::kOff:
      return ClientCertificateMode::kOff;
    case ClientCertificates::kOptional:
      return ClientCertificateMode::kOptional;
    case ClientCertificates::kRequired:
      break;
  }
  return ClientCertificateMode::kRequired;
}

// Nothing is encrypted over a Unix socket.
bool ListensOnNetwork(const ServeOptions& options) {
  return !options.listen.starts_with("grpc+unix:") || !options.http.listen.empty();
}

arrow::Result<DoorTls> TlsOf(const ServeOptions& options, std::shared_ptr<Logger> logger) {
  const Tls& tls = options.tls;
  if (tls.certificate.empty() || !ListensOnNetwork(options)) return DoorTls{};
  ARROW_ASSIGN_OR_RAISE(
      auto files,
      TlsFiles::Open({.certificate = tls.certificate, .key = tls.key, .client_ca = tls.client_ca},
                     std::move(logger)));
  return DoorTls{.files = std::move(files),
                 .client_certificates = tls.client_ca.empty() ? ClientCertificateMode::kOff
                                                              : ModeOf(tls.client_certificates)};
}

}  // namespace

arrow::Result<AccessParts> MakeAccessParts(const ServeOptions& options,
                                           std::shared_ptr<Logger> logger) {
  AccessParts parts;
  ARROW_ASSIGN_OR_RAISE(parts.tls, TlsOf(options, logger));
  ARROW_ASSIGN_OR_RAISE(parts.authenticator,
                        Authenticator::Make(AuthenticationOf(options), logger));
  ARROW_ASSIGN_OR_RAISE(parts.policy,
                        PolicyOf(options, parts.authenticator->is_required(), logger));
  ARROW_ASSIGN_OR_RAISE(parts.audit, AuditLog::Make(options.access.audit_log, logger));
  return parts;
}

}  // namespace hangar
