#include "access/certificate_identity.h"

#include <memory>
#include <optional>
#include <vector>

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

struct AlternativeName {
  int type;  // GEN_DNS, GEN_URI, GEN_EMAIL, or GEN_RID for one that does not count.
  std::string text;
};

GENERAL_NAME* MakeName(const AlternativeName& name) {
  GENERAL_NAME* made = GENERAL_NAME_new();
  if (name.type == GEN_RID) {
    GENERAL_NAME_set0_value(made, GEN_RID, OBJ_txt2obj("1.2.3.4", 1));
  } else {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, name.text.data(), static_cast<int>(name.text.size()));
    GENERAL_NAME_set0_value(made, name.type, text);
  }
  return made;
}

// A certificate that holds from an hour ago for two, signed by itself: TLS checks that elsewhere.
std::string MakePem(const std::vector<std::string>& common_names,
                    const std::vector<AlternativeName>& alternatives, Timestamp now) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), seconds - 3600);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), seconds + 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* subject = X509_NAME_new();
  for (const std::string& name : common_names) {
    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.data()),
                               static_cast<int>(name.size()), -1, 0);
  }
  X509_set_subject_name(certificate.get(), subject);
  X509_NAME_free(subject);
  GENERAL_NAMES* names = GENERAL_NAMES_new();
  for (const AlternativeName& name : alternatives) sk_GENERAL_NAME_push(names, MakeName(name));
  if (!alternatives.empty()) {
    X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, names, 0, 0);
  }
  GENERAL_NAMES_free(names);
  X509_sign(certificate.get(), key.get(), nullptr);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

class CertificateIdentity : public ::testing::Test {
 protected:
  // The name shown, or "" where it is refused.
  std::string NameBy(const std::vector<std::string>& common_names,
                     const std::vector<AlternativeName>& alternatives) {
    const auto shown = IdentityOfCertificate(MakePem(common_names, alternatives, now_), now_);
    if (shown.ok()) return (*shown)->ToString();
    EXPECT_EQ(KindOf(shown.status()), ErrorKind::kUnauthenticated);
    return "";
  }

  const Timestamp now_ = *ParseTimestamp("2026-06-01T12:00:00Z");
};

TEST_F(CertificateIdentity, TheFirstAlternativeNameThatCountsIsTheName) {
  EXPECT_EQ(NameBy({"common"}, {{GEN_DNS, "loader.example.org"}, {GEN_URI, "spiffe://x/y"}}),
            "cert:loader.example.org");
  EXPECT_EQ(NameBy({"common"}, {{GEN_URI, "spiffe://x/y"}, {GEN_DNS, "loader.example.org"}}),
            "cert:spiffe://x/y");
  EXPECT_EQ(NameBy({"common"}, {{GEN_RID, ""}, {GEN_EMAIL, "a@example.org"}}),
            "cert:a@example.org");
}

TEST_F(CertificateIdentity, WithoutOneItIsTheCommonName) {
  EXPECT_EQ(NameBy({"loader"}, {}), "cert:loader");
  EXPECT_EQ(NameBy({"loader"}, {{GEN_RID, ""}}), "cert:loader");
  EXPECT_EQ(NameBy({"lädt"}, {}), "cert:lädt");
  EXPECT_EQ(NameBy({"one", "two"}, {}), "");
  EXPECT_EQ(NameBy({}, {}), "");
}

TEST_F(CertificateIdentity, NamesThatCouldPassForOthersAreRefused) {
  const std::string nul("admin\0.example.org", 18);
  for (const std::string& name :
       {nul, std::string("a\nb"), std::string("a b"), std::string("a\x7f"), std::string("\xff\xfe"),
        std::string(256, 'a')}) {
    EXPECT_EQ(NameBy({"common"}, {{GEN_DNS, name}}), "") << name;
  }
  EXPECT_EQ(NameBy({"common"}, {{GEN_DNS, ""}}), "");
  EXPECT_EQ(NameBy({"a b"}, {}), "");
}

TEST_F(CertificateIdentity, ACertificateThatDoesNotHoldNowIsRefused) {
  const std::string pem = MakePem({"loader"}, {}, now_);
  EXPECT_OK(IdentityOfCertificate(pem, now_));
  for (const int hours : {-2, 2}) {
    const auto refused = IdentityOfCertificate(pem, now_ + std::chrono::hours(hours));
    EXPECT_THAT(refused.status().message(), HasSubstr("expired or is not valid yet"));
  }
}

TEST_F(CertificateIdentity, WhatIsNoCertificateIsRefused) {
  const std::string pem = MakePem({"loader"}, {}, now_);
  for (const std::string& text : {std::string(), std::string("x"), pem.substr(0, pem.size() / 2),
                                  std::string("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                              "-----END CERTIFICATE-----\n")}) {
    EXPECT_EQ(KindOf(IdentityOfCertificate(text, now_).status()), ErrorKind::kUnauthenticated);
  }
}

TEST_F(CertificateIdentity, OfAChainTheFirstIsTheClients) {
  const std::string chain = MakePem({"loader"}, {}, now_) + MakePem({"authority"}, {}, now_);
  ASSERT_OK_AND_ASSIGN(const auto identity, IdentityOfCertificate(chain, now_));
  EXPECT_EQ(identity->ToString(), "cert:loader");
}

}  // namespace
}  // namespace hangar
