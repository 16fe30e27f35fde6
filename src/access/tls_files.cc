#include "access/tls_files.h"

#include <ctime>
#include <format>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;

arrow::Status Unusable(std::string_view what, const std::string& path, std::string_view why) {
  return Error(ErrorKind::kInvalidArgument, "the {} {} cannot be used: {}", what, Quoted(path),
               why);
}

constexpr char kCertificateFile[] = "TLS certificate file";
constexpr char kKeyFile[] = "TLS key file";
constexpr char kClientCaFile[] = "client CA file";

// OpenSSL's reason for the failure that just happened, "ee key too small" for example.
std::string Reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason != nullptr ? reason : "it is malformed";
  ERR_clear_error();
  return text;
}

Bio BioOf(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// An encrypted key has nobody here to ask for its password; OpenSSL itself would ask the terminal.
int NoPassword(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// All certificates in the text; at least one. INVALID_ARGUMENT else.
arrow::Result<std::vector<Certificate>> CertificatesIn(const std::string& pem,
                                                       std::string_view what,
                                                       const std::string& path) {
  const Bio bio = BioOf(pem);
  std::vector<Certificate> certificates;
  bool asked = false;
  while (X509* found = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, &asked)) {
    certificates.emplace_back(found);
  }
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  // What ends well ends with a search for one more.
  const bool ended =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!ended) return Unusable(what, path, "a certificate in it is malformed");
  if (certificates.empty()) return Unusable(what, path, "it holds no certificate in PEM form");
  return certificates;
}

arrow::Result<Key> KeyIn(const std::string& pem, const std::string& path) {
  const Bio bio = BioOf(pem);
  bool asked = false;
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, &asked));
  ERR_clear_error();
  if (key) return key;
  return Unusable(kKeyFile, path,
                  asked ? "the key is encrypted, and nobody is there to give the password"
                        : "it holds no private key in PEM form");
}

std::string Text(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return "an unknown time";
  return std::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", broken_down.tm_year + 1900,
                     broken_down.tm_mon + 1, broken_down.tm_mday, broken_down.tm_hour,
                     broken_down.tm_min);
}

arrow::Status CheckDates(const X509* certificate, const std::string& path) {
  const ASN1_TIME* begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(end) <= 0) {
    return Unusable(kCertificateFile, path, "the certificate expired on " + Text(end));
  }
  if (X509_cmp_current_time(begin) > 0) {
    return Unusable(
        kCertificateFile, path,
        "the certificate is valid from " + Text(begin) + " on only; is the machine's clock right?");
  }
  return arrow::Status::OK();
}

std::string EndOf(const TlsMaterial& material) {
  const Bio bio = BioOf(material.certificate);
  const Certificate first(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  return first ? Text(X509_get0_notAfter(first.get())) : "";
}

}  // namespace

arrow::Status CheckTlsMaterial(const TlsMaterial& material, const TlsFileNames& names) {
  ERR_clear_error();
  ARROW_ASSIGN_OR_RAISE(const auto certificates,
                        CertificatesIn(material.certificate, kCertificateFile, names.certificate));
  ARROW_ASSIGN_OR_RAISE(const Key key, KeyIn(material.key, names.key));
  // The server's own libraries say no only at a handshake, so they are asked here: they also refuse
  // keys that are too weak.
  const SslContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return Unusable(kCertificateFile, names.certificate, Reason());
  if (SSL_CTX_use_certificate(context.get(), certificates.front().get()) != 1) {
    return Unusable(kCertificateFile, names.certificate, Reason());
  }
  if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return Unusable(kKeyFile, names.key,
                    "it is not the key of the first certificate in " + Quoted(names.certificate));
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Unusable(kKeyFile, names.key, Reason());
  }
  for (size_t i = 1; i < certificates.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), certificates[i].get()) != 1) {
      return Unusable(kCertificateFile, names.certificate, Reason());
    }
  }
  ARROW_RETURN_NOT_OK(CheckDates(certificates.front().get(), names.certificate));
  if (names.client_ca.empty()) return arrow::Status::OK();
  return CertificatesIn(material.client_ca, kClientCaFile, names.client_ca).status();
}

TlsFiles::TlsFiles(const TlsFileNames& names, std::shared_ptr<Logger> logger)
    : names_(names), logger_(std::move(logger)) {
  files_[0] = {std::make_unique<WatchedFile>(names.certificate), &TlsMaterial::certificate};
  files_[1] = {std::make_unique<WatchedFile>(names.key), &TlsMaterial::key};
  if (!names.client_ca.empty()) {
    files_[2] = {std::make_unique<WatchedFile>(names.client_ca), &TlsMaterial::client_ca};
  }
}

arrow::Result<std::shared_ptr<TlsFiles>> TlsFiles::Open(const TlsFileNames& names,
                                                        std::shared_ptr<Logger> logger) {
  std::shared_ptr<TlsFiles> files(new TlsFiles(names, std::move(logger)));
  const MutexLock lock(files->mutex_);
  ARROW_RETURN_NOT_OK(files->ReadAll());
  ARROW_RETURN_NOT_OK(CheckTlsMaterial(files->found_, names));
  files->Use();
  return files;
}

arrow::Status TlsFiles::ReadAll() {
  for (const File& file : files_) {
    if (file.file == nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(found_.*file.contents, file.file->Read());
  }
  return arrow::Status::OK();
}

arrow::Result<bool> TlsFiles::ReadChanged() {
  bool changed = false;
  for (const File& file : files_) {
    if (file.file == nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(auto contents, file.file->ReadIfChanged());
    if (!contents) continue;
    found_.*file.contents = *std::move(contents);
    changed = true;
  }
  return changed;
}

void TlsFiles::Use() {
  current_ = std::make_shared<const TlsMaterial>(found_);
  logger_->Info("connections are encrypted",
                {{"certificate", names_.certificate}, {"expires", EndOf(*current_)}});
}

std::shared_ptr<const TlsMaterial> TlsFiles::Current() {
  const MutexLock lock(mutex_);
  const auto changed = ReadChanged();
  if (changed.ok() && !*changed) return current_;
  const arrow::Status usable = changed.ok() ? CheckTlsMaterial(found_, names_) : changed.status();
  if (usable.ok()) {
    Use();
  } else {
    logger_->Warning("the TLS files changed, and what they hold is not used",
                     {{"reason", usable.message()}, {"in_force_until", EndOf(*current_)}});
  }
  return current_;
}

}  // namespace hangar
