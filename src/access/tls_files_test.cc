#include "access/tls_files.h"

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "access/tls_test_support.h"
#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using std::chrono::hours;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const TlsFileNames kNames{.certificate = "cert.pem", .key = "key.pem", .client_ca = ""};

void ExpectUnusable(const TlsMaterial& material, const std::string& file, const std::string& why) {
  const auto status = CheckTlsMaterial(material, kNames);
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr(file), HasSubstr(why)));
}

std::string Encrypted(const std::string& key_pem) {
  BIO* const in = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* const out = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  std::string text(bytes, static_cast<size_t>(size));
  BIO_free(in);
  BIO_free(out);
  EVP_PKEY_free(key);
  return text;
}

TEST(TlsMaterial, APairThatFitsIsTaken) {
  EXPECT_TRUE(CheckTlsMaterial(MakeTestCertificate({}), kNames).ok());
  TlsMaterial chain = MakeTestCertificate({.rsa_bits = 2048});
  chain.certificate += "\nan issuer's, with a remark\n" + MakeTestCertificate({}).certificate;
  EXPECT_TRUE(CheckTlsMaterial(chain, kNames).ok());
}

TEST(TlsMaterial, SaysWhichFileIsWrongAndWhy) {
  const TlsMaterial good = MakeTestCertificate({});
  ExpectUnusable({"", good.key, ""}, "cert.pem", "no certificate");
  ExpectUnusable({good.key, good.key, ""}, "cert.pem", "no certificate");
  ExpectUnusable({good.certificate, "", ""}, "key.pem", "no private key");
  ExpectUnusable({good.certificate, good.certificate, ""}, "key.pem", "no private key");
  ExpectUnusable({good.certificate, Encrypted(good.key), ""}, "key.pem", "encrypted");
  ExpectUnusable({good.certificate, MakeTestCertificate({}).key, ""}, "key.pem", "not the key of");
  ExpectUnusable({good.certificate.substr(0, good.certificate.size() / 2), good.key, ""},
                 "cert.pem", "malformed");
}

TEST(TlsMaterial, RefusesACertificateThatNoClientWouldTake) {
  ExpectUnusable(MakeTestCertificate({.begins = -hours(48), .ends = -hours(24)}), "cert.pem",
                 "expired on 2");
  ExpectUnusable(MakeTestCertificate({.begins = hours(24), .ends = hours(48)}), "cert.pem",
                 "valid from 2");
  ExpectUnusable(MakeTestCertificate({.rsa_bits = 1024}), "cert.pem", "too small");
}

TEST(TlsMaterial, RefusesAnAuthorityFileWithoutOne) {
  TlsMaterial material = MakeTestCertificate({});
  TlsFileNames names = kNames;
  names.client_ca = "ca.pem";
  material.client_ca = "none";
  const auto status = CheckTlsMaterial(material, names);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("ca.pem"), HasSubstr("no certificate")));
  material.client_ca = material.certificate;
  EXPECT_TRUE(CheckTlsMaterial(material, names).ok());
}

TEST(TlsMaterial, NoErrorHoldsAKey) {
  const TlsMaterial good = MakeTestCertificate({});
  const auto status = CheckTlsMaterial({good.key, good.key, ""}, kNames);
  EXPECT_THAT(status.message(), Not(HasSubstr(good.key.substr(40, 20))));
}

// Files in a folder of their own.
class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    std::string pattern = ::testing::TempDir() + "hangar-tls-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    names_ = {.certificate = folder_ / "cert.pem", .key = folder_ / "key.pem", .client_ca = ""};
  }
  ~TlsFilesTest() override { std::filesystem::remove_all(folder_); }

  static void Write(const std::string& path, const std::string& contents) {
    std::ofstream(path + ".new") << contents;
    std::filesystem::rename(path + ".new", path);
  }
  void Write(const TlsMaterial& material) const {
    Write(names_.certificate, material.certificate);
    Write(names_.key, material.key);
  }
  // What is in force once the files were looked at again, which they are once a second.
  static std::shared_ptr<const TlsMaterial> UntilLogged(TlsFiles& files,
                                                        const RecordingLogger& logger,
                                                        size_t lines) {
    while (true) {
      auto current = files.Current();
      if (logger.lines().size() >= lines) return current;
      std::this_thread::yield();
    }
  }

  std::filesystem::path folder_;
  TlsFileNames names_;
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
};

TEST_F(TlsFilesTest, AMissingFileIsSaidByItsName) {
  Write(names_.certificate, MakeTestCertificate({}).certificate);
  const auto opened = TlsFiles::Open(names_, logger_);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.status().message(), HasSubstr("key.pem"));
}

TEST_F(TlsFilesTest, ARenewedPairIsInForceSoon) {
  Write(MakeTestCertificate({}));
  const auto files = TlsFiles::Open(names_, logger_).ValueOrDie();
  const auto first = files->Current();
  EXPECT_EQ(files->Current(), first);
  const TlsMaterial renewed = MakeTestCertificate({});
  Write(renewed);
  const auto second = UntilLogged(*files, *logger_, 2);
  EXPECT_EQ(second->certificate, renewed.certificate);
  EXPECT_EQ(second->key, renewed.key);
}

TEST_F(TlsFilesTest, HalfARenewalChangesNothingUntilTheOtherHalfCame) {
  const TlsMaterial old = MakeTestCertificate({});
  Write(old);
  const auto files = TlsFiles::Open(names_, logger_).ValueOrDie();
  const TlsMaterial renewed = MakeTestCertificate({});
  Write(names_.certificate, renewed.certificate);
  EXPECT_EQ(UntilLogged(*files, *logger_, 2)->certificate, old.certificate);
  EXPECT_THAT(logger_->lines()[1], HasSubstr("not used"));
  Write(names_.key, renewed.key);
  EXPECT_EQ(UntilLogged(*files, *logger_, 3)->certificate, renewed.certificate);
}

TEST_F(TlsFilesTest, FilesThatAreGoneChangeNothing) {
  const TlsMaterial old = MakeTestCertificate({});
  Write(old);
  const auto files = TlsFiles::Open(names_, logger_).ValueOrDie();
  std::filesystem::remove(names_.certificate);
  EXPECT_EQ(UntilLogged(*files, *logger_, 2)->certificate, old.certificate);
  EXPECT_THAT(logger_->lines()[1], HasSubstr("cert.pem"));
}

}  // namespace
}  // namespace hangar
