#include "s3/s3_location.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using testing::HasSubstr;
using testing::Not;

class S3LocationTest : public testing::Test {
 protected:
  arrow::Result<S3Location> Parse(const std::string& uri) {
    return ParseS3Location(uri, [this](const std::string& name) { return variables_[name]; });
  }
  std::string Refusal(const std::string& uri) {
    const arrow::Status status = Parse(uri).status();
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument) << uri << ": " << status.ToString();
    return status.message();
  }

  std::map<std::string, std::string> variables_ = {{"AWS_CONFIG_FILE", "/nowhere/config"},
                                                   {"AWS_SHARED_CREDENTIALS_FILE", "/nowhere/c"}};
};

TEST_F(S3LocationTest, ReadsAllOfIt) {
  const S3Location location =
      Parse(
          "s3://my-bucket/a/b%20c?endpoint=https://host:9000/&region=eu-central-1"
          "&addressing=virtual&ca=/etc/ca.pem&profile=team")
          .ValueOrDie();
  EXPECT_EQ(location.bucket, "my-bucket");
  EXPECT_EQ(location.prefix, "a/b c/");
  EXPECT_EQ(location.endpoint, "https://host:9000");
  EXPECT_EQ(location.region, "eu-central-1");
  EXPECT_FALSE(location.path_style);
  EXPECT_EQ(location.ca_file, "/etc/ca.pem");
  EXPECT_EQ(location.profile, "team");
  EXPECT_EQ(location.ToString(), "s3://my-bucket/a/b c/");
}

TEST_F(S3LocationTest, HasNoPrefixWhereThereIsNone) {
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().prefix, "");
  EXPECT_EQ(Parse("s3://bucket/").ValueOrDie().prefix, "");
  EXPECT_EQ(Parse("s3://bucket?region=x").ValueOrDie().prefix, "");
  EXPECT_EQ(Parse("s3://bucket/a/").ValueOrDie().prefix, "a/");
}

TEST_F(S3LocationTest, IsAtAwsWithoutAnEndpoint) {
  const S3Location location = Parse("s3://bucket?region=eu-west-1").ValueOrDie();
  EXPECT_EQ(location.endpoint, "https://s3.eu-west-1.amazonaws.com");
  EXPECT_FALSE(location.path_style);
  EXPECT_EQ(Parse("s3://bucket?region=cn-north-1").ValueOrDie().endpoint,
            "https://s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().region, "us-east-1");
  EXPECT_TRUE(Parse("s3://bucket.with.dots").ValueOrDie().path_style);
}

TEST_F(S3LocationTest, TakesFromTheEnvironmentWhatTheUriDoesNotSay) {
  variables_["AWS_ENDPOINT_URL"] = "http://general:1";
  variables_["AWS_DEFAULT_REGION"] = "by-default";
  variables_["AWS_CA_BUNDLE"] = "/ca";
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().endpoint, "http://general:1");
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().region, "by-default");
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().ca_file, "/ca");
  EXPECT_TRUE(Parse("s3://bucket").ValueOrDie().path_style);
  variables_["AWS_ENDPOINT_URL_S3"] = "http://special:2";
  variables_["AWS_REGION"] = "by-name";
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().endpoint, "http://special:2");
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().region, "by-name");
  EXPECT_EQ(Parse("s3://bucket?region=mine").ValueOrDie().region, "mine");
}

TEST_F(S3LocationTest, MayHaveATimeout) {
  EXPECT_EQ(Parse("s3://bucket").ValueOrDie().timeout, std::chrono::seconds(30));
  EXPECT_EQ(Parse("s3://bucket?timeout=3600").ValueOrDie().timeout, std::chrono::seconds(3600));
}

TEST_F(S3LocationTest, SuggestsTheOptionThatWasMeant) {
  EXPECT_THAT(Refusal("s3://bucket?regoin=x"), HasSubstr("did you mean 'region'?"));
  EXPECT_THAT(Refusal("s3://bucket?something=x"), HasSubstr("there are endpoint"));
}

TEST_F(S3LocationTest, RefusesCredentialsWithoutRepeatingThem) {
  for (const char* uri :
       {"s3://AKIA:hidden@bucket", "s3://bucket?secret_access_key=hidden",
        "s3://bucket?AWS_SECRET=hidden", "s3://bucket?access_key=hidden&session_token=hidden",
        "s3://bucket?endpoint=http://user:hidden@host"}) {
    EXPECT_THAT(Refusal(uri), Not(HasSubstr("hidden")));
  }
}

TEST_F(S3LocationTest, RefusesWhatIsNoLocation) {
  for (const char* uri : {"s3:/bucket",
                          "http://bucket",
                          "s3://",
                          "s3:///key",
                          "s3://a",
                          "s3://-bucket",
                          "s3://buck_et/%zz",
                          "s3://buc ket",
                          "s3://bucket/a#b",
                          "s3://bucket/%ff",
                          "s3://bucket?region=",
                          "s3://bucket?region=a:b",
                          "s3://bucket?region=a&region=b",
                          "s3://bucket?endpoint=host:9000",
                          "s3://bucket?endpoint=ftp://host",
                          "s3://bucket?endpoint=http://host/path",
                          "s3://bucket?endpoint=http://ho%20st",
                          "s3://bucket?addressing=both",
                          "s3://bucket?timeout=0",
                          "s3://bucket?timeout=5s",
                          "s3://bucket?timeout=3601",
                          "s3://bucket?endpoint=http://127.0.0.1:9000&addressing=virtual"}) {
    Refusal(uri);
  }
}

TEST(IsS3Uri, IsTrueOfThatSchemeAlone) {
  EXPECT_TRUE(IsS3Uri("s3://bucket"));
  EXPECT_FALSE(IsS3Uri("/var/s3:/x"));
}

}  // namespace
}  // namespace hangar
