#pragma once

#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>

#include "access/tls_files.h"
#include "base/log.h"
#include "base/mutex.h"

struct gnutls_certificate_credentials_st;
struct gnutls_session_int;

namespace hangar {

/// A certificate with its key, and whose clients' certificates count. Immutable.
class HttpTlsCredentials {
 public:
  /// INVALID_ARGUMENT when GnuTLS cannot serve with it. Without a CA no client is asked for a
  /// certificate.
  static arrow::Result<std::shared_ptr<const HttpTlsCredentials>> Make(const TlsMaterial& material,
                                                                       ClientCertificateMode mode);
  ~HttpTlsCredentials();
  HttpTlsCredentials(const HttpTlsCredentials&) = delete;
  HttpTlsCredentials& operator=(const HttpTlsCredentials&) = delete;

  /// Lets a session, whose handshake has not begun, use them. They must outlive it.
  void UseFor(gnutls_session_int* session) const;

 private:
  HttpTlsCredentials(gnutls_certificate_credentials_st* credentials, ClientCertificateMode mode)
      : credentials_(credentials), mode_(mode) {}

  gnutls_certificate_credentials_st* const credentials_;
  const ClientCertificateMode mode_;
};

/// The credentials of a server whose files may change while it runs. Thread-safe.
class ReloadedHttpTls {
 public:
  /// INVALID_ARGUMENT when GnuTLS cannot serve with what is in the files.
  static arrow::Result<std::unique_ptr<ReloadedHttpTls>> Make(const DoorTls& tls,
                                                              std::shared_ptr<Logger> logger);

  /// Those of what is in force, see TlsFiles.
  std::shared_ptr<const HttpTlsCredentials> Current() HANGAR_EXCLUDES(mutex_);

 private:
  ReloadedHttpTls(std::shared_ptr<TlsFiles> files, ClientCertificateMode mode,
                  std::shared_ptr<Logger> logger);

  const std::shared_ptr<TlsFiles> files_;
  const ClientCertificateMode mode_;
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  std::shared_ptr<const TlsMaterial> tried_ HANGAR_GUARDED_BY(mutex_);
  std::shared_ptr<const HttpTlsCredentials> current_ HANGAR_GUARDED_BY(mutex_);
};

/// The certificate that a client showed and that was verified in the handshake, PEM.
std::optional<std::string> ClientCertificateOf(gnutls_session_int* session);

}  // namespace hangar
