#include "access/authenticator.h"

#include <vector>

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/access_test_support.h"
#include "access/jwt_test_support.h"
#include "access/password_hash.h"
#include "access/session_tokens.h"
#include "access/token_file.h"
#include "access/user_file.h"
#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class AuthenticatorTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_OK(StartCrypto());
    ASSERT_OK_AND_ASSIGN(hash_, HashPassword("pass:word"));
    key_ = std::make_unique<SigningKey>("ES256");
  }
  static void TearDownTestSuite() { key_.reset(); }

  void SetUp() override {
    TokenRecord expired{.name = "old", .hash = Sha256(old_token_)};
    expired.expires = Now();
    TokenRecord granted{.name = "nightly", .hash = Sha256(token_)};
    granted.grants = {{"read", "sales/**"}};
    options_.token_file = folder_.Write("tokens.toml", FormatTokens({granted, expired}));
    options_.user_file =
        folder_.Write("users.toml", FormatUsers({{"alice", {hash_, {"analysts"}}}}));
    options_.jwks = folder_.Write("keys.json", JwksOf({key_->Jwk()}));
    options_.jwt_issuer = "https://login.example.org";
    options_.jwt_audience = "hangar";
    Make();
  }
  void Make() { ASSERT_OK_AND_ASSIGN(authenticator_, Authenticator::Make(options_, logger_)); }

  arrow::Result<std::shared_ptr<const Identity>> Show(std::optional<std::string> authorization) {
    return authenticator_->Authenticate({.peer = peer_, .authorization = std::move(authorization)});
  }
  std::string Who(std::optional<std::string> authorization) {
    const auto shown = Show(std::move(authorization));
    return shown.ok() ? (*shown)->ToString() : std::string(ErrorKindName(KindOf(shown.status())));
  }
  static std::string Basic(const std::string& name_and_password) {
    std::string text = EncodeBase64Url(name_and_password);
    while (text.size() % 4 != 0) text += '=';
    return "Basic " + text;  // These have no letters in which the two alphabets differ.
  }
  static std::string Jwt() {
    const auto end =
        std::chrono::floor<std::chrono::seconds>(Now()).time_since_epoch().count() + 60;
    return key_->Token(
        {{"iss", "https://login.example.org"}, {"aud", "hangar"}, {"sub", "4711"}, {"exp", end}});
  }

  static inline std::string hash_;
  static inline std::unique_ptr<SigningKey> key_;
  const TestFolder folder_;
  const std::string token_ = NewToken();
  const std::string old_token_ = NewToken();
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  std::string peer_ = "192.0.2.1";
  AuthenticatorOptions options_;
  std::shared_ptr<Authenticator> authenticator_;
};

TEST_F(AuthenticatorTest, WithoutAnythingConfiguredEverybodyIsAnonymous) {
  options_ = {};
  Make();
  EXPECT_FALSE(authenticator_->is_required());
  EXPECT_EQ(Who(std::nullopt), "anonymous");
  EXPECT_EQ(Who("Bearer " + token_), "anonymous");
  EXPECT_EQ(KindOf(authenticator_->LogIn({.peer = peer_}).status()), ErrorKind::kUnimplemented);
}

TEST_F(AuthenticatorTest, WhoShowsNothingIsAnonymousAndThePolicysConcern) {
  EXPECT_TRUE(authenticator_->is_required());
  EXPECT_EQ(Who(std::nullopt), "anonymous");
}

TEST_F(AuthenticatorTest, EachKindOfCredentialsShowsItsIdentity) {
  EXPECT_EQ(Who("Bearer " + token_), "token:nightly");
  EXPECT_EQ(Who("Bearer " + Jwt()), "jwt:4711");
  EXPECT_EQ(Who(Basic("alice:pass:word")), "user:alice");
  ASSERT_OK_AND_ASSIGN(const auto identity, Show("Bearer " + token_));
  ASSERT_EQ(identity->grants.size(), 1u);
  EXPECT_EQ(identity->grants[0].glob, "sales/**");
}

TEST_F(AuthenticatorTest, TheSchemesCaseAndSpacesDoNotMatter) {
  EXPECT_EQ(Who("bearer " + token_), "token:nightly");
  EXPECT_EQ(Who("BEARER   " + token_ + "  "), "token:nightly");
}

TEST_F(AuthenticatorTest, ALoginGivesATokenForWhatFollows) {
  ASSERT_OK_AND_ASSIGN(
      const Login login,
      authenticator_->LogIn({.peer = peer_, .authorization = Basic("alice:pass:word")}));
  EXPECT_EQ(login.identity->ToString(), "user:alice");
  EXPECT_EQ(login.lifetime, std::chrono::hours(1));
  EXPECT_EQ(Who("Bearer " + login.token), "user:alice");
  Make();
  EXPECT_EQ(Who("Bearer " + login.token), "UNAUTHENTICATED") << "of another process";
}

TEST_F(AuthenticatorTest, ASessionEndsWhenTheUserIsRemoved) {
  ASSERT_OK_AND_ASSIGN(
      const Login login,
      authenticator_->LogIn({.peer = peer_, .authorization = Basic("alice:pass:word")}));
  folder_.Write("users.toml", FormatUsers({{"bob", {hash_, {}}}}));
  peer_ = "192.0.2.2";
  EXPECT_TRUE(Eventually([&] { return Who("Bearer " + login.token) == "UNAUTHENTICATED"; }));
}

TEST_F(AuthenticatorTest, ATokenEndsWhenItIsRevokedAndBeginsWhenItIsMade) {
  const std::string other = NewToken();
  folder_.Write("tokens.toml", FormatTokens({{.name = "other", .hash = Sha256(other)}}));
  EXPECT_TRUE(Eventually([&] { return Who("Bearer " + token_) != "token:nightly"; }));
  EXPECT_EQ(Who("Bearer " + other), "token:other");
}

TEST_F(AuthenticatorTest, AllFailuresAreToldInTheSameWords) {
  const auto first = Show("Bearer x").status();
  EXPECT_EQ(KindOf(first), ErrorKind::kUnauthenticated);
  const std::string jwt = Jwt();
  const std::vector<std::string> headers = {std::string(),
                                            std::string("Bearer"),
                                            std::string("Bearer "),
                                            std::string("Basic"),
                                            std::string("Basic !!!"),
                                            Basic("alice"),
                                            Basic(":"),
                                            Basic("alice:wrong pass"),
                                            Basic("nobody:pass:word"),
                                            Basic("alice:"),
                                            std::string("Digest ") + token_,
                                            token_,
                                            "Bearer " + NewToken(),
                                            "Bearer " + old_token_,
                                            "Bearer " + token_.substr(0, 54),
                                            "Bearer " + token_ + " x",
                                            "Bearer " + std::string(kSessionPrefix) + "AAAA",
                                            "Bearer " + jwt.substr(0, jwt.size() - 1),
                                            "Bearer " + jwt.substr(0, jwt.rfind('.')),
                                            "Bearer a.b.c",
                                            "Basic " + token_,
                                            "Bearer " + std::string(17'000, 'x'),
                                            std::string("Bearer \0x", 9),
                                            std::string("\xff\xff")};
  for (const std::string& header : headers) {
    EXPECT_EQ(Show(header).status(), first) << header.substr(0, 80);
    const auto login = authenticator_->LogIn({.peer = peer_, .authorization = header});
    EXPECT_EQ(login.status(), first) << header.substr(0, 80);
  }
  EXPECT_EQ(authenticator_->LogIn({.peer = peer_}).status(), first);
  EXPECT_EQ(authenticator_->LogIn({.peer = peer_, .authorization = "Bearer " + token_}).status(),
            first);
}

TEST_F(AuthenticatorTest, TheLogSaysWhyAndNoSecret) {
  EXPECT_EQ(Who(Basic("alice:wrong pass")), "UNAUTHENTICATED");
  EXPECT_EQ(Who("Bearer " + old_token_), "UNAUTHENTICATED");
  const auto lines = logger_->lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr("192.0.2.1"));
  EXPECT_THAT(lines[0], Not(HasSubstr("wrong pass")));
  EXPECT_THAT(lines[1], HasSubstr("the token has expired"));
  EXPECT_THAT(lines[1], Not(HasSubstr(old_token_)));
}

TEST_F(AuthenticatorTest, ASourceThatFailsAllTheTimeHasToWaitAndWhatIsRightStillIsLetIn) {
  bool has_to_wait = false;
  for (int i = 0; i < 1000 && !has_to_wait; ++i) {
    has_to_wait = Who("Bearer " + NewToken()) == "RESOURCE_EXHAUSTED";
  }
  EXPECT_TRUE(has_to_wait);
  EXPECT_EQ(Who("Bearer " + token_), "token:nightly");
  EXPECT_EQ(Who("Bearer " + Jwt()), "jwt:4711");
  EXPECT_EQ(Who(Basic("alice:pass:word")), "user:alice");
  peer_ = "192.0.2.2";
  EXPECT_EQ(Who("Bearer " + NewToken()), "UNAUTHENTICATED");
}

TEST_F(AuthenticatorTest, GuessingAPasswordIsSlowedAndNothingElseOfThatSource) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Who(Basic("alice:wrong pass")), "UNAUTHENTICATED");
  EXPECT_EQ(Who(Basic("alice:wrong pass")), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(Who(Basic("alice:pass:word")), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(Who("Bearer " + token_), "token:nightly");
  peer_ = "192.0.2.2";
  EXPECT_EQ(Who(Basic("alice:pass:word")), "user:alice");
}

TEST_F(AuthenticatorTest, ACertificateCountsWhereThereIsNoHeader) {
  const Credentials certificate{.peer = peer_, .certificate = "no PEM"};
  EXPECT_OK(authenticator_->Authenticate(certificate));  // Certificates do not count here.
  options_.certificates = true;
  Make();
  EXPECT_EQ(KindOf(authenticator_->Authenticate(certificate).status()),
            ErrorKind::kUnauthenticated);
  ASSERT_OK_AND_ASSIGN(
      const auto by_header,
      authenticator_->Authenticate(
          {.peer = peer_, .authorization = "Bearer " + token_, .certificate = "no PEM"}));
  EXPECT_EQ(by_header->ToString(), "token:nightly");
}

TEST_F(AuthenticatorTest, TheChallengeNamesWhatIsOffered) {
  EXPECT_EQ(authenticator_->Challenge(),
            "Bearer realm=\"hangar\", Basic realm=\"hangar\", charset=\"UTF-8\"");
  options_.user_file.clear();
  Make();
  EXPECT_EQ(authenticator_->Challenge(), "Bearer realm=\"hangar\"");
  EXPECT_EQ(Who(Basic("alice:pass:word")), "UNAUTHENTICATED");
}

TEST_F(AuthenticatorTest, OneKindOfTokenIsNotTakenForAnother) {
  options_.token_file.clear();
  Make();
  EXPECT_EQ(Who("Bearer " + token_), "UNAUTHENTICATED");
  options_ = {.token_file = folder_ / "tokens.toml"};
  Make();
  EXPECT_EQ(Who("Bearer " + Jwt()), "UNAUTHENTICATED");
  EXPECT_EQ(Who("Bearer " + token_), "token:nightly");
}

TEST_F(AuthenticatorTest, WrongSettingsAreRefusedAtTheStart) {
  const auto refusal = [&](auto change) {
    AuthenticatorOptions options = options_;
    change(options);
    const auto made = Authenticator::Make(options, logger_);
    EXPECT_FALSE(made.ok());
    return made.status().message();
  };
  using Options = AuthenticatorOptions;
  EXPECT_THAT(refusal([](Options& o) { o.jwt_issuer = ""; }), HasSubstr("issuer"));
  EXPECT_THAT(refusal([](Options& o) { o.jwt_audience = ""; }), HasSubstr("audience"));
  EXPECT_THAT(refusal([](Options& o) { o.jwt_name_claim = ""; }), HasSubstr("name"));
  EXPECT_THAT(refusal([](Options& o) { o.jwks = "http://login.example.org/keys"; }),
              HasSubstr("neither a file nor an https address"));
  EXPECT_THAT(refusal([](Options& o) { o.token_file = "/no/such/tokens"; }),
              HasSubstr("cannot be read"));
  folder_.Write("tokens.toml", "\n\n[tokens.a]\n");
  EXPECT_THAT(refusal([](Options&) {}), HasSubstr("tokens.toml, line 3"));
}

}  // namespace
}  // namespace hangar
