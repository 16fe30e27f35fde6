#include "config/check_options.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace hangar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Check(const std::function<void(ServeOptions&)>& change,
                               std::string_view given = "") {
  ServeOptions options;
  change(options);
  return CheckServeOptions(options, [given](std::string_view name) { return name == given; });
}

TEST(CheckServeOptions, FindsNothingWrongWithTheDefaults) {
  EXPECT_THAT(Check([](ServeOptions&) {}), IsEmpty());
}

TEST(CheckServeOptions, CertificateAndKeyBelongTogether) {
  EXPECT_THAT(Check([](ServeOptions& o) { o.tls.certificate = "c.pem"; }),
              ElementsAre(HasSubstr("needs tls_key")));
  EXPECT_THAT(Check([](ServeOptions& o) { o.tls.key = "k.pem"; }),
              ElementsAre(HasSubstr("needs tls_cert")));
  EXPECT_THAT(Check([](ServeOptions& o) {
                o.tls.certificate = "c.pem";
                o.tls.key = "k.pem";
                o.tls.client_ca = "ca.pem";
              }),
              IsEmpty());
}

TEST(CheckServeOptions, ClientCertificatesThatNobodyWouldLookAtAreNotAskedFor) {
  EXPECT_THAT(Check([](ServeOptions& o) {
                o.listen = "grpc://127.0.0.1:1";
                o.tls.client_ca = "ca.pem";
              }),
              ElementsAre(HasSubstr("client_ca needs tls_cert")));
  EXPECT_THAT(Check([](ServeOptions&) {}, "client_certificates"),
              ElementsAre(HasSubstr("client_certificates needs client_ca")));
  EXPECT_THAT(Check([](ServeOptions& o) { o.tls.client_certificates = ClientCertificates::kOff; },
                    "client_certificates"),
              IsEmpty());
}

TEST(CheckServeOptions, KeysOfAProviderNeedAnIssuerAndAnAudience) {
  const auto with = [](const std::string& jwks, const std::string& issuer,
                       const std::string& audience) {
    return Check([&](ServeOptions& o) {
      o.listen = "grpc://127.0.0.1:8815";
      o.access.jwks = jwks;
      o.access.jwt_issuer = issuer;
      o.access.jwt_audience = audience;
    });
  };
  EXPECT_THAT(with("https://id.example.org/keys", "i", "a"), IsEmpty());
  EXPECT_THAT(with("/etc/keys.json", "i", "a"), IsEmpty());
  EXPECT_THAT(with("keys.json", "", ""),
              ElementsAre(HasSubstr("jwt_issuer"), HasSubstr("jwt_audience")));
  EXPECT_THAT(with("http://id.example.org/keys", "i", "a"), ElementsAre(HasSubstr("https")));
  EXPECT_THAT(with("", "i", "a"), ElementsAre(HasSubstr("need jwks")));
}

TEST(CheckServeOptions, EachFileHasOnePurpose) {
  EXPECT_THAT(Check([](ServeOptions& o) {
                o.listen = "grpc+unix:///run/hangar.sock";
                o.access.token_file = "f";
                o.access.user_file = "f";
              }),
              ElementsAre(HasSubstr("token_file and user_file are the same file")));
}

TEST(CheckServeOptions, AServerIsOneOfItsPeers) {
  const auto with = [](std::vector<std::string> peers, std::vector<std::string> advertise) {
    return Check([&](ServeOptions& o) {
      o.shared.peers = std::move(peers);
      o.advertise = std::move(advertise);
    });
  };
  const std::string a = "grpc://a:8815";
  const std::string b = "grpc+tls://b:8815";
  EXPECT_THAT(with({a, b}, {a}), IsEmpty());
  EXPECT_THAT(with({a, b}, {"grpc+tcp://A:8815"}), IsEmpty());
  EXPECT_THAT(with({a, b}, {}), ElementsAre(HasSubstr("peers needs advertise")));
  EXPECT_THAT(with({a, b}, {a, b}), ElementsAre(HasSubstr("more than one was given")));
  EXPECT_THAT(with({a, b}, {"grpc://c:8815"}), ElementsAre(HasSubstr("not among the peers")));
  EXPECT_THAT(with({a, b}, {"http://a:8815"}), ElementsAre(HasSubstr("advertise is wrong")));
  EXPECT_THAT(with({"file:/etc/peers"}, {a}), IsEmpty());
  EXPECT_THAT(with({"dns:hangar:8815"}, {a}), IsEmpty());
}

TEST(CheckServeOptions, EveryWrongPeerIsNamed) {
  EXPECT_THAT(Check([](ServeOptions& o) {
                o.advertise = {"grpc://a:1"};
                o.shared.peers = {"grpc://a:1", "grpc://b:0", "dns:c", "file:"};
              }),
              ElementsAre(HasSubstr("'grpc://b:0'"), HasSubstr("'dns:c'"), HasSubstr("'file:'")));
  EXPECT_THAT(Check([](ServeOptions& o) { o.shared.peer_ca = "ca.pem"; }),
              ElementsAre(HasSubstr("peer_ca needs peers")));
  EXPECT_THAT(Check([](ServeOptions& o) {
                o.advertise = {"grpc://a:1"};
                o.shared.peers = {"grpc://a:1"};
                o.shared.single_writer = true;
              }),
              ElementsAre(HasSubstr("single_writer and peers contradict")));
}

TEST(CheckServeOptions, ASessionKeyIsForUsersWithPasswords) {
  const auto with = [](const std::string& user_file) {
    return Check([&](ServeOptions& o) {
      o.listen = "grpc+unix:///run/hangar.sock";
      o.access.session_key = "key";
      o.access.user_file = user_file;
    });
  };
  EXPECT_THAT(with("users"), IsEmpty());
  EXPECT_THAT(with(""), ElementsAre(HasSubstr("session_key needs user_file")));
  EXPECT_THAT(with("key"), ElementsAre(HasSubstr("user_file and session_key are the same file")));
}

TEST(CheckServeOptions, EachListenerHasAnAddressOfItsOwn) {
  const auto with = [](const std::string& listen, const std::string& http,
                       const std::string& metrics) {
    return Check([&](ServeOptions& o) {
      o.listen = listen;
      o.http = {.listen = http, .cors_origins = {}, .metrics_listen = metrics};
    });
  };
  EXPECT_THAT(with("grpc://0.0.0.0:8815", "0.0.0.0:8816", "127.0.0.1:8817"), IsEmpty());
  EXPECT_THAT(with("grpc://127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"), IsEmpty());
  EXPECT_THAT(with("grpc://127.0.0.1:80", "127.0.0.2:80", ""), IsEmpty());
  EXPECT_THAT(with("grpc://0.0.0.0:8815", "127.0.0.1:8815", ""),
              ElementsAre(HasSubstr("listen and http are the same address")));
  EXPECT_THAT(with("grpc+unix:///a:8816", "[::1]:8816", "[::]:8816"),
              ElementsAre(HasSubstr("http and metrics are the same address")));
  EXPECT_THAT(with("grpc://0.0.0.0:8815", "8816", "http://a:1"),
              ElementsAre(HasSubstr("http is wrong: '8816'"), HasSubstr("metrics is wrong")));
}

TEST(CheckServeOptions, SecretsStayOnTheMachineUnlessEncrypted) {
  const auto with = [](const std::string& listen, const std::string& http, bool insecure) {
    return Check([&](ServeOptions& o) {
      o.listen = listen;
      o.http.listen = http;
      o.access.token_file = "tokens";
      o.tls.insecure = insecure;
    });
  };
  EXPECT_THAT(with("grpc://0.0.0.0:8815", "", false), ElementsAre(HasSubstr("plain text")));
  EXPECT_THAT(with("grpc://127.0.0.1:8815", "0.0.0.0:8816", false),
              ElementsAre(HasSubstr("0.0.0.0:8816")));
  EXPECT_THAT(with("grpc://0.0.0.0:8815", "0.0.0.0:8816", true), IsEmpty());
}

}  // namespace
}  // namespace hangar
