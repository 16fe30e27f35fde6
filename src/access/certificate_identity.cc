#include "access/certificate_identity.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <string_view>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kNameBytesMax = 255;

template <typename T, void (*Free)(T*)>
struct Freeing {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freeing<T, Free>>;

void FreeBio(BIO* bio) { BIO_free(bio); }

arrow::Status Wrong(const char* why) {
  ERR_clear_error();
  return MakeError(ErrorKind::kUnauthenticated, why);
}

bool HoldsAt(const X509* certificate, Timestamp now) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::floor<std::chrono::system_clock::duration>(now));
  return X509_cmp_time(X509_get0_notBefore(certificate), &seconds) < 0 &&
         X509_cmp_time(X509_get0_notAfter(certificate), &seconds) > 0;
}

// As it is: a NUL within is a byte like others, which IsFitForName refuses.
std::string TextOf(const ASN1_STRING* text) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size < 0) return {};
  std::string copy(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return copy;
}

bool IsFitForName(std::string_view name) {
  const auto is_refused = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  return !name.empty() && name.size() <= kNameBytesMax && IsValidUtf8(name) &&
         std::ranges::none_of(name, is_refused);
}

// Of a type that is ASCII only (RFC 5280, 4.2.1.6): empty where other bytes are in it.
std::string AsciiOf(const ASN1_STRING* text) {
  const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  std::string copy(bytes, static_cast<size_t>(ASN1_STRING_length(text)));
  if (std::ranges::any_of(copy, [](unsigned char c) { return c >= 0x80; })) return {};
  return copy;
}

// nullptr where there is no name that counts.
const ASN1_STRING* FirstAlternativeName(const GENERAL_NAMES* names) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    switch (name->type) {
      case GEN_DNS:
        return name->d.dNSName;
      case GEN_URI:
        return name->d.uniformResourceIdentifier;
      case GEN_EMAIL:
        return name->d.rfc822Name;
      default:
        break;
    }
  }
  return nullptr;
}

// Empty where there is none, or several, of which none is the one that counts.
std::string CommonName(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return {};
  return TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

arrow::Result<std::string> NameOf(const X509* certificate) {
  int critical = 0;
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  // -1: there are none. Others: they are malformed, or stand there twice.
  if (!names && critical != -1) return Wrong("the certificate's names are malformed");
  const ASN1_STRING* alternative = names ? FirstAlternativeName(names.get()) : nullptr;
  return alternative != nullptr ? AsciiOf(alternative) : CommonName(certificate);
}

}  // namespace

arrow::Result<std::shared_ptr<const Identity>> IdentityOfCertificate(const std::string& pem,
                                                                     Timestamp now) {
  if (pem.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return Wrong("the certificate is too long");
  }
  const Owned<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Owned<X509, X509_free> certificate(
      bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return Wrong("the certificate is malformed");
  if (!HoldsAt(certificate.get(), now)) {
    return Wrong("the certificate has expired or is not valid yet");
  }
  ARROW_ASSIGN_OR_RAISE(std::string name, NameOf(certificate.get()));
  if (!IsFitForName(name)) return Wrong("the certificate has no name that is fit for one");
  Identity identity{.kind = IdentityKind::kCertificate, .name = std::move(name)};
  return std::make_shared<const Identity>(std::move(identity));
}

}  // namespace hangar
