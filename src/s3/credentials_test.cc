#include "s3/credentials.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <format>
#include <fstream>
#include <map>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "s3/credential_chain.h"
#include "s3/profile_file.h"
#include "s3/scripted_server.h"

namespace hangar {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class CountedSource : public CredentialSource {
 public:
  using Script = std::function<arrow::Result<S3Credentials>(int number)>;
  explicit CountedSource(Script script) : script_(std::move(script)) {}
  arrow::Result<S3Credentials> Fetch() override { return script_(++number_); }
  std::string Name() const override { return "a script"; }

 private:
  const Script script_;
  int number_ = 0;
};

class CredentialKeeperTest : public testing::Test {
 protected:
  void Start(CountedSource::Script script) {
    keeper_ = std::make_unique<CredentialKeeper>(std::make_unique<CountedSource>(script), nullptr,
                                                 [this] { return now_.load(); });
  }
  S3Credentials Numbered(int number, minutes lifetime) {
    return {.access_key_id = std::to_string(number),
            .secret_access_key = "secret",
            .expires = now_.load() + lifetime};
  }
  std::string Id() { return keeper_->Get().ValueOrDie().access_key_id; }

  std::atomic<Timestamp> now_ = Timestamp(std::chrono::days(20'000));
  std::unique_ptr<CredentialKeeper> keeper_;
};

TEST_F(CredentialKeeperTest, FetchesOthersBeforeTheyExpire) {
  Start([this](int number) { return Numbered(number, minutes(60)); });
  EXPECT_EQ(Id(), "1");
  now_ = now_.load() + minutes(54);
  EXPECT_EQ(Id(), "1");
  now_ = now_.load() + minutes(2);
  EXPECT_EQ(Id(), "2");
}

TEST_F(CredentialKeeperTest, GoesOnWithTheOldOnesWhileOthersAreNotToBeHad) {
  Start([this](int number) -> arrow::Result<S3Credentials> {
    if (number == 1) return Numbered(number, minutes(60));
    return Error(ErrorKind::kUnavailable, "not now");
  });
  EXPECT_EQ(Id(), "1");
  now_ = now_.load() + minutes(57);
  EXPECT_EQ(Id(), "1");
  now_ = now_.load() + minutes(3);
  EXPECT_FALSE(keeper_->Get().ok());
}

TEST_F(CredentialKeeperTest, DoesNotAskAgainRightAfterAFailure) {
  Start([this](int number) -> arrow::Result<S3Credentials> {
    if (number > 1) return Numbered(number, minutes(60));
    return Error(ErrorKind::kUnavailable, "not now");
  });
  EXPECT_FALSE(keeper_->Get().ok());
  EXPECT_FALSE(keeper_->Get().ok());
  now_ = now_.load() + seconds(3);
  EXPECT_EQ(Id(), "2");
}

TEST_F(CredentialKeeperTest, FetchesOthersOnceTheStoreRefusesThem) {
  Start([this](int number) { return Numbered(number, minutes(60)); });
  const S3Credentials first = keeper_->Get().ValueOrDie();
  EXPECT_FALSE(keeper_->Reject(first)) << "they have just come";
  now_ = now_.load() + minutes(1);
  EXPECT_TRUE(keeper_->Reject(first));
  EXPECT_EQ(Id(), "2");
  EXPECT_TRUE(keeper_->Reject(first)) << "there are others already";
  EXPECT_EQ(Id(), "2");
}

TEST_F(CredentialKeeperTest, UsesWhatIsShortLivedFromTheStart) {
  Start([this](int number) { return Numbered(number, minutes(3)); });
  EXPECT_EQ(Id(), "1");
}

TEST_F(CredentialKeeperTest, LetsOneOfManyThreadsFetch) {
  Start([this](int number) { return Numbered(number, minutes(60)); });
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([this] { EXPECT_EQ(Id(), "1"); });
}

TEST(ProfileFile, ReadsSectionsAndPassesOverTheRest) {
  const auto profiles = ParseProfileFile(
      "# a comment\n; another\nlost = 1\n[default]\naws_access_key_id=a # behind it\r\n"
      "Region =  eu-west-1 \ns3 =\n  addressing_style = path\nnothing\n"
      "[ profile  team ]\naws_secret_access_key = b#c=d\n[broken\nx = y\n");
  EXPECT_EQ(profiles.at("default").at("aws_access_key_id"), "a");
  EXPECT_EQ(profiles.at("default").at("region"), "eu-west-1");
  EXPECT_FALSE(profiles.at("default").contains("addressing_style"));
  EXPECT_EQ(profiles.at("profile team").at("aws_secret_access_key"), "b#c=d");
  EXPECT_EQ(profiles.size(), 2);
}

class CredentialChainTest : public testing::Test {
 protected:
  CredentialChainTest() {
    std::string pattern = testing::TempDir() + "/credentialsXXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    variables_ = {{"AWS_CONFIG_FILE", folder_ + "/config"},
                  {"AWS_SHARED_CREDENTIALS_FILE", folder_ + "/credentials"},
                  {"AWS_EC2_METADATA_DISABLED", "true"}};
    location_.region = "us-east-1";
  }
  ~CredentialChainTest() override { std::filesystem::remove_all(folder_); }

  void WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::string Serve(ScriptedServer::Script script) {
    server_ = std::make_unique<ScriptedServer>(std::move(script));
    return server_->url();
  }
  arrow::Result<S3Credentials> Fetch() {
    ARROW_ASSIGN_OR_RAISE(auto source, FindCredentials(location_, [this](const std::string& name) {
                            return variables_[name];
                          }));
    return source->Fetch();
  }
  std::string Id() {
    const auto credentials = Fetch();
    return credentials.ok() ? credentials->access_key_id : credentials.status().message();
  }

  std::string folder_;
  std::map<std::string, std::string> variables_;
  S3Location location_;
  std::unique_ptr<ScriptedServer> server_;
};

constexpr const char* kJson =
    R"({"Code":"Success","AccessKeyId":"json-id","SecretAccessKey":"s","Token":"t",
        "Expiration":"2030-01-01T00:00:00Z"})";

TEST_F(CredentialChainTest, TakesTheFirstThatIsThere) {
  EXPECT_THAT(Id(), HasSubstr("there are none"));
  WriteFile("config",
            "[default]\naws_access_key_id = config\naws_secret_access_key = s\n"
            "[profile team]\naws_access_key_id = team\naws_secret_access_key = s\n");
  EXPECT_EQ(Id(), "config");
  WriteFile("credentials", "[default]\naws_access_key_id = file\naws_secret_access_key = s\n");
  EXPECT_EQ(Id(), "file");
  variables_["AWS_PROFILE"] = "team";
  EXPECT_EQ(Id(), "team");
  variables_["AWS_ACCESS_KEY_ID"] = "variable";
  variables_["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(Id(), "variable");
  location_.profile = "team";
  EXPECT_EQ(Id(), "team");
  location_.profile = "nobody";
  EXPECT_THAT(Id(), HasSubstr("no keys of the profile 'nobody'"));
}

TEST_F(CredentialChainTest, RefusesHalfOfAPair) {
  variables_["AWS_ACCESS_KEY_ID"] = "id";
  EXPECT_THAT(Id(), HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
  variables_ = {{"AWS_SECRET_ACCESS_KEY", "hidden"}};
  EXPECT_THAT(Id(),
              testing::AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not"), Not(HasSubstr("hidden"))));
}

TEST_F(CredentialChainTest, SaysWhatOfAProfileItDoesNotUnderstand) {
  WriteFile("config", "[default]\ncredential_process = /bin/true\n");
  EXPECT_THAT(Id(), HasSubstr("'credential_process'"));
}

TEST_F(CredentialChainTest, ExchangesAWebIdentityToken) {
  variables_["AWS_ENDPOINT_URL_STS"] = Serve([](const ScriptedRequest&) {
    return Answer(200,
                  "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>"
                  "<Credentials><AccessKeyId>web-id</AccessKeyId>"
                  "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                  "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"
                  "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
  });
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_ + "/token";
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/r";
  EXPECT_THAT(Id(), HasSubstr("missing, empty or unreadable"));
  WriteFile("token", "the.web+token\n");
  const S3Credentials credentials = Fetch().ValueOrDie();
  EXPECT_EQ(credentials.access_key_id, "web-id");
  EXPECT_EQ(credentials.session_token, "t");
  EXPECT_EQ(credentials.expires, ParseTimestamp("2030-01-01"));
  auto request = server_->requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body,
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
            "&RoleSessionName=hangar&Version=2011-06-15&WebIdentityToken=the.web%2Btoken");
  EXPECT_FALSE(request.headers.contains("authorization"));
}

TEST_F(CredentialChainTest, AsksTheContainersEndpoint) {
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
      Serve([](const ScriptedRequest&) { return Answer(200, kJson); }) + "/creds";
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "of the variable";
  EXPECT_EQ(Id(), "json-id");
  EXPECT_EQ(server_->requests()[0].target, "/creds");
  EXPECT_EQ(server_->requests()[0].headers["authorization"], "of the variable");
  WriteFile("token", "of the file\n");
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = folder_ + "/token";
  EXPECT_EQ(Id(), "json-id");
  EXPECT_EQ(server_->requests()[1].headers["authorization"], "of the file");
}

TEST_F(CredentialChainTest, AsksNoOtherMachineOverPlainHttp) {
  for (const char* url : {"http://example.org/", "http://169.254.170.2.example.org/", "ftp://x"}) {
    variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_THAT(Id(), HasSubstr("neither https nor"));
  }
}

TEST_F(CredentialChainTest, AsksTheInstancesMetadata) {
  variables_["AWS_EC2_METADATA_DISABLED"] = "";
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] =
      Serve([](const ScriptedRequest& request) {
        if (request.method == "PUT") return Answer(200, "the-token");
        const auto token = request.headers.find("x-aws-ec2-metadata-token");
        if (token == request.headers.end() || token->second != "the-token") return Answer(401);
        return Answer(200, request.target.ends_with("/") ? "the role\n" : kJson);
      }) +
      "/";
  EXPECT_EQ(Id(), "json-id");
  EXPECT_EQ(server_->requests()[2].target, "/latest/meta-data/iam/security-credentials/the%20role");
}

TEST_F(CredentialChainTest, SaysWhatIsWrongWithAnAnswerWithoutShowingIt) {
  for (const ScriptedAnswer& answer :
       {Answer(404, "hidden"), Answer(200, "hidden"), Answer(200, "{}"), Answer(200, "[1]"),
        Answer(200, R"({"AccessKeyId":"a","SecretAccessKey":"hidden","Expiration":"hidden"})")}) {
    variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
        Serve([&](const ScriptedRequest&) { return answer; });
    EXPECT_THAT(Id(), testing::AllOf(HasSubstr("the container's endpoint gives no S3 credentials"),
                                     Not(HasSubstr("hidden"))));
  }
}

}  // namespace
}  // namespace hangar
