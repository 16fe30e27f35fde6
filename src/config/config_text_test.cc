#include "config/config_text.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include <gmock/gmock.h>

namespace hangar {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class ConfigTextTest : public testing::Test {
 protected:
  ConfigTextTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "hangar-text-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ConfigTextTest() override { std::filesystem::remove_all(folder_); }

  LoadedSettings Load(const std::string& toml) {
    const std::string path = folder_ / "hangar.toml";
    std::ofstream(path) << toml;
    return LoadSettings({.file = path});
  }

  std::filesystem::path folder_;
};

TEST_F(ConfigTextTest, TheExampleChangesNothingAndHoldsEverySetting) {
  const std::string example = ExampleConfiguration(LoadSettings({}));
  const LoadedSettings as_it_is = Load(example);
  EXPECT_THAT(as_it_is.problems, IsEmpty());
  for (const SettingValue& value : as_it_is.values) EXPECT_TRUE(value.is_default());

  const std::string uncommented =
      std::regex_replace(example, std::regex("(^|\n)#([a-z_]+ = )"), "$1$2");
  const LoadedSettings all = Load(uncommented);
  EXPECT_THAT(all.problems, IsEmpty());
  for (size_t i = 0; i < all.values.size(); ++i) {
    const SettingValue& value = all.values[i];
    EXPECT_EQ(value.texts, as_it_is.values[i].texts) << value.setting->name;
    // An empty array says nothing, so it counts as not given.
    EXPECT_EQ(value.is_default(), value.setting->repeatable()) << value.setting->name;
  }
}

TEST_F(ConfigTextTest, WhatIsInForceReadsBackAsTheSame) {
  const LoadedSettings settings = Load(
      "data = \"a \\\"b\\\" \\\\ c\\u0007\"\nmax_streams = 7\ninsecure = true\n"
      "advertise = ['grpc://a:1', 'grpc://b:2']\n");
  ASSERT_THAT(settings.problems, IsEmpty());
  const std::string text = EffectiveConfiguration(settings);
  EXPECT_THAT(text, HasSubstr("max_streams = 7  # line 2 of "));
  EXPECT_THAT(text, HasSubstr("listen = \"grpc://0.0.0.0:8815\"  # default\n"));
  EXPECT_THAT(text, HasSubstr("tls_cert = \"\"  # default: no encryption\n"));
  const LoadedSettings again = Load(text);
  ASSERT_THAT(again.problems, IsEmpty()) << text;
  for (size_t i = 0; i < again.values.size(); ++i) {
    EXPECT_EQ(again.values[i].texts, settings.values[i].texts);
  }
}

TEST_F(ConfigTextTest, SecretsOfAnAddressAreHidden) {
  EXPECT_EQ(WithoutSecrets("https://bob:pass@id.example.org/keys?token=abc"),
            "https://***@id.example.org/keys?***");
  EXPECT_EQ(WithoutSecrets("https://a@b:c@id.example.org"), "https://***@id.example.org");
  EXPECT_EQ(WithoutSecrets("https://id.example.org/a@b"), "https://id.example.org/a@b");
  EXPECT_EQ(WithoutSecrets("/etc/keys@home.json"), "/etc/keys@home.json");
  const LoadedSettings settings = Load(
      "jwks = 'https://bob:secret@id.example.org/keys'\njwt_issuer = 'i'\njwt_audience = 'a'\n"
      "insecure = true\n");
  ASSERT_THAT(settings.problems, IsEmpty());
  EXPECT_THAT(EffectiveConfiguration(settings), testing::Not(HasSubstr("secret")));
}

TEST_F(ConfigTextTest, TheManualNamesEverySettingUnderItsThreeNames) {
  const std::string page = ConfigurationManual();
  for (const Setting& setting : ServeSettings()) {
    EXPECT_THAT(page, HasSubstr("\n.It Ic " + std::string(setting.name) + "\n"));
    EXPECT_THAT(page, HasSubstr("\n.Ev " + setting.environment() + " "));
  }
}

}  // namespace
}  // namespace hangar
