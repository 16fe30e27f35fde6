#include "config/load.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

class LoadTest : public ::testing::Test {
 protected:
  LoadTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "hangar-load-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~LoadTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& text) {
    const std::string path = folder_ / "hangar.toml";
    std::ofstream(path) << text;
    return path;
  }

  static std::string ErrorOf(const SettingSources& sources) {
    const auto options = LoadServeOptions(sources);
    EXPECT_FALSE(options.ok());
    if (options.ok()) return "";
    EXPECT_EQ(KindOf(options.status()), ErrorKind::kInvalidArgument);
    return options.status().message();
  }

  std::filesystem::path folder_;
};

TEST_F(LoadTest, DefaultsAreTheDocumentedOnes) {
  const auto options = LoadServeOptions({});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->data, "./datasets");
  EXPECT_EQ(options->listen, "grpc://0.0.0.0:8815");
  EXPECT_EQ(options->grace, std::chrono::seconds(30));
  // The texts that help shows are the defaults themselves.
  ServeOptions from_texts;
  for (const Setting& setting : ServeSettings()) {
    if (setting.name == "advertise") continue;
    ASSERT_TRUE(setting.set(from_texts, {std::string(setting.default_text)}).ok()) << setting.name;
  }
  EXPECT_EQ(from_texts.data, options->data);
  EXPECT_EQ(from_texts.listen, options->listen);
  EXPECT_EQ(from_texts.log_level, options->log_level);
  EXPECT_EQ(from_texts.log_format, options->log_format);
  EXPECT_EQ(from_texts.grace, options->grace);
  EXPECT_EQ(from_texts.cache_memory, options->cache_memory);
  EXPECT_EQ(from_texts.limits, options->limits);
}

TEST_F(LoadTest, FlagsGoOverTheEnvironmentAndThatOverTheFile) {
  SettingSources sources;
  sources.file = File(
      "data = 'file'\nlog_level = 'error'\ngrace = '1s'\n"
      "advertise = ['grpc://a:1', 'grpc://b:2']\n");
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HANGAR_LOG_LEVEL") return "warning";
    if (name == "HANGAR_GRACE") return "2s";
    return std::nullopt;
  };
  sources.flags["grace"] = {"3s"};
  const auto options = LoadServeOptions(sources);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->data, "file");
  EXPECT_EQ(options->log_level, "warning");
  EXPECT_EQ(options->grace, std::chrono::seconds(3));
  EXPECT_EQ(options->advertise, (std::vector<std::string>{"grpc://a:1", "grpc://b:2"}));
}

TEST_F(LoadTest, AnUnknownKeyIsAnErrorThatNamesTheNearestSetting) {
  SettingSources sources;
  sources.file = File("log_levle = 'info'\n");
  const std::string error = ErrorOf(sources);
  EXPECT_NE(error.find("'log_levle'"), std::string::npos) << error;
  EXPECT_NE(error.find("'log_level'"), std::string::npos) << error;
}

TEST_F(LoadTest, WrongValuesNameTheirPlace) {
  SettingSources sources;
  sources.file = File("grace = 30\n");
  EXPECT_NE(ErrorOf(sources).find("'grace' in the configuration file"), std::string::npos);
  sources.file = File("grace = \n");
  EXPECT_NE(ErrorOf(sources).find("line 1"), std::string::npos);
  sources.file = (folder_ / "absent.toml").string();
  EXPECT_NE(ErrorOf(sources).find("cannot be read"), std::string::npos);
  sources.file.reset();
  sources.flags["log_format"] = {"xml"};
  EXPECT_NE(ErrorOf(sources).find("--log-format is wrong: 'xml'"), std::string::npos);
}

TEST_F(LoadTest, LimitsAreAmountsGreaterThanNothing) {
  SettingSources sources;
  sources.flags = {{"max_streams", {"7"}}, {"max_upload_bytes", {"2GiB"}}, {"keepalive", {"5s"}}};
  const auto options = LoadServeOptions(sources);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->limits.streams, 7);
  EXPECT_EQ(options->limits.upload_bytes, 2LL << 30);
  EXPECT_EQ(options->limits.keepalive, std::chrono::seconds(5));
  for (const auto& [setting, wrong] :
       std::vector<std::pair<std::string, std::string>>{{"max_streams", "0"},
                                                        {"max_streams", "-1"},
                                                        {"max_streams", "many"},
                                                        {"max_streams", "7x"},
                                                        {"max_columns", ""},
                                                        {"max_upload_bytes", "0"},
                                                        {"max_upload_bytes", "50%"},
                                                        {"max_upload_bytes", "7"},
                                                        {"stall_timeout", "0s"},
                                                        {"keepalive", "soon"}}) {
    sources.flags = {{setting, {wrong}}};
    const std::string error = ErrorOf(sources);
    EXPECT_NE(error.find("is wrong"), std::string::npos) << setting << " " << wrong << error;
  }
}

TEST(ParseMemoryAmount, TakesBytesWithUnitsAndParts) {
  EXPECT_EQ(*ParseMemoryAmount("0"), MemoryAmount{});
  EXPECT_EQ(*ParseMemoryAmount("512MiB"), (MemoryAmount{.bytes = 512LL << 20}));
  EXPECT_EQ(*ParseMemoryAmount("4GiB"), (MemoryAmount{.bytes = 4LL << 30}));
  EXPECT_EQ(*ParseMemoryAmount("25%"), (MemoryAmount{.percent = 25}));
  for (const char* wrong : {"", "5", "-1GiB", "1GB", "101%", "GiB", "1 GiB", "99999999TiB"}) {
    EXPECT_EQ(KindOf(ParseMemoryAmount(wrong).status()), ErrorKind::kInvalidArgument) << wrong;
  }
}

TEST(ParseDuration, TakesNumbersWithUnitsOnly) {
  EXPECT_EQ(*ParseDuration("500ms"), std::chrono::milliseconds(500));
  EXPECT_EQ(*ParseDuration("30s"), std::chrono::seconds(30));
  EXPECT_EQ(*ParseDuration("2m"), std::chrono::minutes(2));
  EXPECT_EQ(*ParseDuration("1h"), std::chrono::hours(1));
  EXPECT_EQ(*ParseDuration("2d"), std::chrono::hours(48));
  EXPECT_EQ(*ParseDuration("0s"), std::chrono::seconds(0));
  for (const char* wrong : {"", "30", "s", "-1s", "1.5s", "1w", "1 s", "9999999999999999h"}) {
    EXPECT_FALSE(ParseDuration(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace hangar
