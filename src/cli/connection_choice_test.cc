#include "cli/connection_choice.h"

#include <fstream>
#include <map>
#include <string>

#include <arrow/util/io_util.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar::cli {
namespace {

using testing::HasSubstr;

constexpr char kProd[] = "grpc+tls://prod:1";
constexpr char kTest[] = "grpc+tls://test:1";

Environment With(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

Profiles Stored() {
  return {{"default", {.server = kProd, .token = "prods", .ca = "/prod.pem"}},
          {"test", {.server = kTest, .token = "tests", .user = "ann"}}};
}

ConnectionChoice Choose(const ConnectionFlags& flags,
                        std::map<std::string, std::string> environment = {}) {
  return ChooseConnection(flags, With(std::move(environment)), Stored()).ValueOrDie();
}

TEST(ChooseConnection, IsTheServerOfThisMachineWhereNothingSaysOtherwise) {
  EXPECT_EQ(*ChooseConnection({}, With({}), {}), (ConnectionChoice{.server = client::kDefaultUri}));
}

TEST(ChooseConnection, TakesTheDefaultProfileWhereNoneIsNamed) {
  EXPECT_EQ(Choose({}),
            (ConnectionChoice{
                .profile = "default", .server = kProd, .token = "prods", .ca = "/prod.pem"}));
}

TEST(ChooseConnection, TakesFlagsBeforeTheEnvironmentBeforeProfiles) {
  EXPECT_EQ(Choose({}, {{"HANGAR_SERVER", kTest}}).server, kTest);
  EXPECT_EQ(Choose({.server = "grpc://x:1"}, {{"HANGAR_SERVER", kTest}}).server, "grpc://x:1");
  EXPECT_EQ(Choose({}, {{"HANGAR_TOKEN", "e"}}).token, "e");
  EXPECT_EQ(Choose({.token = "f"}, {{"HANGAR_TOKEN", "e"}}).token, "f");
  EXPECT_EQ(Choose({}, {{"HANGAR_CA", "/e.pem"}}).ca, "/e.pem");
  EXPECT_EQ(Choose({.ca = "/f.pem"}, {{"HANGAR_CA", "/e.pem"}}).ca, "/f.pem");
  EXPECT_EQ(Choose({}, {{"HANGAR_PROFILE", "test"}}).server, kTest);
  EXPECT_EQ(Choose({.profile = "default"}, {{"HANGAR_PROFILE", "test"}}).server, kProd);
}

TEST(ChooseConnection, TakesAProfileThatAFlagNamesBeforeTheEnvironment) {
  const ConnectionChoice choice =
      Choose({.profile = "test"}, {{"HANGAR_SERVER", kProd}, {"HANGAR_TOKEN", "e"}});
  EXPECT_EQ(choice.server, kTest);
  EXPECT_EQ(choice.token, "tests");
}

TEST(ChooseConnection, ShowsAProfilesTokenToNoOtherServer) {
  for (const auto& choice : {Choose({.server = kTest}), Choose({}, {{"HANGAR_SERVER", kTest}})}) {
    EXPECT_EQ(choice, (ConnectionChoice{.server = kTest}));
  }
  EXPECT_EQ(Choose({.server = kProd}).token, "prods");
}

TEST(ChooseConnection, ShowsOneThing) {
  const ConnectionChoice by_file = Choose({.token_file = "/t"});
  EXPECT_EQ(by_file.token, "");
  EXPECT_EQ(by_file.token_file, "/t");
  const ConnectionChoice by_password = Choose({.user = "bob"}, {{"HANGAR_TOKEN", "e"}});
  EXPECT_EQ(by_password.token, "");
  EXPECT_EQ(by_password.user, "bob");
  // The user of a stored token is who it was given to.
  EXPECT_EQ(Choose({.profile = "test"}).user, "");
}

TEST(ChooseConnection, RefusesFlagsThatContradictEachOther) {
  for (const ConnectionFlags& flags :
       {ConnectionFlags{.token = "t", .user = "u"},
        ConnectionFlags{.token = "t", .token_file = "f"}, ConnectionFlags{.cert = "c"},
        ConnectionFlags{.key = "k"}, ConnectionFlags{.profile = "test", .server = kProd}}) {
    EXPECT_EQ(KindOf(ChooseConnection(flags, With({}), Stored()).status()),
              ErrorKind::kInvalidArgument);
  }
}

TEST(ChooseConnection, TellsThatAProfileIsNotThere) {
  for (const auto& status :
       {ChooseConnection({.profile = "nope"}, With({}), Stored()).status(),
        ChooseConnection({}, With({{"HANGAR_PROFILE", "nope"}}), Stored()).status()}) {
    EXPECT_EQ(KindOf(status), ErrorKind::kNotFound);
    EXPECT_THAT(status.message(), HasSubstr("'nope'"));
  }
}

class ReadConnectionTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = folder_->path().ToString() + name;
    std::ofstream(path) << text;
    return path;
  }

  const std::unique_ptr<arrow::internal::TemporaryDir> folder_ =
      *arrow::internal::TemporaryDir::Make("hangar-connection-");
};

TEST_F(ReadConnectionTest, ReadsTheFilesThatAreNamed) {
  const std::string pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
  const std::string key = "-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n";
  const auto options = ReadConnection({.server = kProd,
                                       .token_file = Write("t", "secret\r\nmore\n"),
                                       .ca = Write("ca", pem),
                                       .cert = Write("cert", pem),
                                       .key = Write("key", key)},
                                      With({}))
                           .ValueOrDie();
  EXPECT_EQ(options.uri, kProd);
  EXPECT_EQ(options.token, "secret");
  EXPECT_EQ(options.ca_pem, pem);
  EXPECT_EQ(options.certificate_pem, pem);
  EXPECT_EQ(options.key_pem, key);
}

TEST_F(ReadConnectionTest, TellsWhichFileIsNotWhatItShouldBe) {
  const auto refusal = [](const ConnectionChoice& choice) {
    return ReadConnection(choice, With({})).status().message();
  };
  EXPECT_THAT(refusal({.token_file = Write("empty", "\nsecond\n")}), HasSubstr("holds no token"));
  EXPECT_THAT(refusal({.ca = Write("text", "hello")}), HasSubstr("holds no certificate"));
  EXPECT_THAT(refusal({.key = Write("text", "hello")}), HasSubstr("holds no private key"));
  EXPECT_THAT(refusal({.ca = "/no/such/file"}), HasSubstr("'/no/such/file'"));
}

TEST_F(ReadConnectionTest, TakesThePasswordFromTheEnvironment) {
  const auto options =
      ReadConnection({.server = kProd, .user = "ann"}, With({{"HANGAR_PASSWORD", "secret"}}));
  EXPECT_EQ(options->user, "ann");
  EXPECT_EQ(options->password, "secret");
}

}  // namespace
}  // namespace hangar::cli
