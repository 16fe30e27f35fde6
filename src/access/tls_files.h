#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/watched_file.h"
#include "base/log.h"
#include "base/mutex.h"

namespace hangar {

/// What a door asks of the certificates of clients.
enum class ClientCertificateMode {
  kOff,       ///< None is asked for.
  kOptional,  ///< One that is shown has to be good.
  kRequired,  ///< There is no connection without a good one.
};

/// PEM files that encrypt a door's connections.
struct TlsFileNames {
  std::string certificate;  ///< The server's own first, then those that lead to its root.
  std::string key;          ///< Of the first certificate, not encrypted.
  std::string client_ca;    ///< Of those whose certificates of clients count; empty: none.
};

/// The contents of such files, PEM. Immutable once shared.
struct TlsMaterial {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

/// Finds out whether OpenSSL can serve with it now. INVALID_ARGUMENT naming the file and what is
/// wrong with it: no PEM, a key that is encrypted or belongs to another certificate, a certificate
/// that has expired or is not valid yet.
arrow::Status CheckTlsMaterial(const TlsMaterial& material, const TlsFileNames& names);

/// A door's certificate, as it stands in files that an operator or a program renews while the
/// server runs. Files that do not fit together (half a renewal, say) change nothing: what was in
/// force stays so, and the log says why. Thread-safe.
class TlsFiles {
 public:
  /// Reads and checks the files. Errors name the file and what is wrong with it.
  static arrow::Result<std::shared_ptr<TlsFiles>> Open(const TlsFileNames& names,
                                                       std::shared_ptr<Logger> logger);

  /// What is in force; never nullptr, and the same object until it changes. Looks at the files once
  /// a second at most, so that it can be asked at every handshake.
  std::shared_ptr<const TlsMaterial> Current() HANGAR_EXCLUDES(mutex_);

 private:
  struct File {
    std::unique_ptr<WatchedFile> file;
    std::string TlsMaterial::* contents;
  };

  TlsFiles(const TlsFileNames& names, std::shared_ptr<Logger> logger);

  arrow::Status ReadAll() HANGAR_REQUIRES(mutex_);
  /// True when a file changed; `found_` holds what it is now.
  arrow::Result<bool> ReadChanged() HANGAR_REQUIRES(mutex_);
  void Use() HANGAR_REQUIRES(mutex_);

  const TlsFileNames names_;
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  std::array<File, 3> files_ HANGAR_GUARDED_BY(mutex_);
  TlsMaterial found_ HANGAR_GUARDED_BY(mutex_);  // In the files, good or not.
  std::shared_ptr<const TlsMaterial> current_ HANGAR_GUARDED_BY(mutex_);
};

/// How doors encrypt their connections: all of them by the same files, which are read once.
struct DoorTls {
  std::shared_ptr<TlsFiles> files;  ///< nullptr: not at all.
  ClientCertificateMode client_certificates = ClientCertificateMode::kOff;

  bool is_on() const { return files != nullptr; }
};

}  // namespace hangar
