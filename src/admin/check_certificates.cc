#include "admin/check_certificates.h"

#include <arpa/inet.h>

#include <ctime>
#include <format>
#include <memory>
#include <string>
#include <vector>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "access/tls_files.h"
#include "admin/check_secret_file.h"
#include "admin/quiet_logger.h"
#include "base/text.h"

namespace hangar {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&::X509_free)>;

// As many days as most issuers leave for a renewal that somebody has to do by hand.
constexpr int kDaysToRenew = 30;

// The certificates of a PEM file, in its order; what else stands there is passed over.
std::vector<Certificate> CertificatesIn(const std::string& path) {
  std::vector<Certificate> certificates;
  const std::unique_ptr<BIO, decltype(&::BIO_free)> file(::BIO_new_file(path.c_str(), "r"),
                                                         ::BIO_free);
  while (file) {
    Certificate next(::PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), ::X509_free);
    if (!next) break;
    certificates.push_back(std::move(next));
  }
  return certificates;
}

// Whole days from now to the certificate's end; negative when it has passed.
int DaysLeft(const X509& certificate) {
  int days = 0;
  int seconds = 0;
  if (::ASN1_TIME_diff(&days, &seconds, nullptr, ::X509_get0_notAfter(&certificate)) != 1) return 0;
  return seconds < 0 ? days - 1 : days;
}

std::string EndOf(const X509& certificate) {
  std::tm end{};
  if (::ASN1_TIME_to_tm(::X509_get0_notAfter(&certificate), &end) != 1) return "an unknown day";
  return std::format("{:04}-{:02}-{:02}", end.tm_year + 1900, end.tm_mon + 1, end.tm_mday);
}

// The hosts and addresses that the certificate is for, as clients look for them.
std::string HostsOf(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&::GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          ::X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      ::GENERAL_NAMES_free);
  std::string out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name->type == GEN_DNS) {
      const ASN1_IA5STRING* host = name->d.dNSName;
      text.assign(reinterpret_cast<const char*>(::ASN1_STRING_get0_data(host)),
                  static_cast<size_t>(::ASN1_STRING_length(host)));
    } else if (name->type == GEN_IPADD) {
      const ASN1_OCTET_STRING* address = name->d.iPAddress;
      char printed[INET6_ADDRSTRLEN] = {};
      const int family = ::ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
      if (family == AF_INET6 && ::ASN1_STRING_length(address) != 16) continue;
      ::inet_ntop(family, ::ASN1_STRING_get0_data(address), printed, sizeof(printed));
      text = printed;
    } else {
      continue;
    }
    out += (out.empty() ? "" : ", ") + text;
  }
  return out;
}

void CheckDates(const std::string& setting, const std::vector<Certificate>& certificates,
                Findings& findings) {
  int least = DaysLeft(*certificates.front());
  const X509* first_to_end = certificates.front().get();
  for (const Certificate& certificate : certificates) {
    if (const int days = DaysLeft(*certificate); days < least) {
      least = days;
      first_to_end = certificate.get();
    }
  }
  if (least < 0) {
    findings.Problem(setting, std::format("it expired on {}", EndOf(*first_to_end)),
                     "renew it; the server takes the new files over without a restart");
  } else if (least < kDaysToRenew) {
    findings.Warning(setting,
                     std::format("it expires in {} days, on {}", least, EndOf(*first_to_end)),
                     "renew it; the server takes the new files over without a restart");
  } else {
    findings.Ok(setting, std::format("good for {} days, until {}", least, EndOf(*first_to_end)));
  }
}

void CheckHosts(const X509& certificate, Findings& findings) {
  const std::string hosts = HostsOf(certificate);
  if (hosts.empty()) {
    findings.Warning("tls_cert", "it names no host as a subject alternative name",
                     "have it made for the server's name: clients look at nothing else");
  } else {
    findings.Ok("tls_cert", std::format("it is for {}", Quoted(hosts)));
  }
}

}  // namespace

void CheckCertificates(const Tls& tls, Findings& findings) {
  if (tls.certificate.empty() || tls.key.empty()) return;
  const auto opened = TlsFiles::Open(
      {.certificate = tls.certificate, .key = tls.key, .client_ca = tls.client_ca}, QuietLogger());
  if (!opened.ok()) {
    findings.Problem("tls_cert", opened.status().message(),
                     "give the certificate, the key that belongs to it without a password, and "
                     "authorities, all as PEM");
  }
  if (const auto own = CertificatesIn(tls.certificate); !own.empty()) {
    CheckDates("tls_cert", own, findings);
    CheckHosts(*own.front(), findings);
  }
  CheckSecretFile("tls_key", tls.key, findings);
  if (tls.client_ca.empty()) return;
  if (const auto authorities = CertificatesIn(tls.client_ca); !authorities.empty()) {
    CheckDates("client_ca", authorities, findings);
  }
}

}  // namespace hangar
