#include "config/load.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
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
    if (setting.repeatable()) continue;
    ASSERT_TRUE(setting.set(from_texts, {std::string(setting.default_value)}).ok()) << setting.name;
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
  EXPECT_NE(ErrorOf(sources).find("line 1: 'grace' is wrong"), std::string::npos);
  sources.file = File("grace = \n");
  EXPECT_NE(ErrorOf(sources).find("line 1"), std::string::npos);
  sources.file = (folder_ / "absent.toml").string();
  EXPECT_NE(ErrorOf(sources).find("cannot be read"), std::string::npos);
  sources.file.reset();
  sources.flags["log_format"] = {"xml"};
  EXPECT_NE(ErrorOf(sources).find("--log-format is wrong: 'xml'"), std::string::npos);
}

TEST_F(LoadTest, AFileMayHoldNumbersAndSwitchesWithoutQuotes) {
  SettingSources sources;
  sources.file = File("max_streams = 7\nmax_uploads = '8'\ninsecure = true\ncache_memory = 0\n");
  const auto options = LoadServeOptions(sources);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->limits.streams, 7);
  EXPECT_EQ(options->limits.uploads, 8);
  EXPECT_TRUE(options->tls.insecure);
  EXPECT_EQ(options->cache_memory, MemoryAmount{});
  for (const char* wrong : {"max_streams = 7.5", "max_streams = true", "insecure = 1",
                            "insecure = 'yes'", "grace = 30", "data = 3", "log_level = 1",
                            "max_streams = [7]", "keep_for = 2026-01-01", "data = {a = 1}"}) {
    sources.file = File(wrong);
    EXPECT_NE(ErrorOf(sources), "") << wrong;
  }
}

TEST_F(LoadTest, EverythingThatIsWrongIsSaidWithItsLine) {
  SettingSources sources;
  sources.file = File("# mine\nmax_streems = 3\ngrace = 'soon'\n\n[tls]\ncert = 'a'\n");
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HANGAR_KEEPALIVE") return "never";
    return std::nullopt;
  };
  sources.flags["log_format"] = {"xml"};
  std::vector<int64_t> lines;
  for (const SettingProblem& problem : LoadSettings(sources).problems) {
    lines.push_back(problem.line);
  }
  EXPECT_EQ(lines, (std::vector<int64_t>{0, 0, 2, 3, 5}));
}

TEST_F(LoadTest, EachValueKnowsWhereItIsFrom) {
  SettingSources sources;
  sources.file = File("data = 'file'\n\ngrace = '1s'\nkeepalive = '9s'\n");
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HANGAR_GRACE") return "2s";
    return std::nullopt;
  };
  sources.flags["keepalive"] = {"3s"};
  std::map<std::string_view, std::string> origins;
  for (const SettingValue& value : LoadSettings(sources).values) {
    origins[value.setting->name] = value.origin;
  }
  EXPECT_EQ(origins.size(), ServeSettings().size());
  EXPECT_EQ(origins["data"], "line 1 of " + *sources.file);
  EXPECT_EQ(origins["grace"], "HANGAR_GRACE");
  EXPECT_EQ(origins["keepalive"], "--keepalive");
  EXPECT_EQ(origins["listen"], "default");
}

TEST_F(LoadTest, AMemoryLimitIsEnoughToWorkWith) {
  SettingSources sources;
  for (const char* wrong : {"0", "127MiB", "1KiB"}) {
    sources.flags["memory_limit"] = {wrong};
    EXPECT_NE(ErrorOf(sources).find("128MiB"), std::string::npos) << wrong;
  }
  sources.flags["memory_limit"] = {"128MiB"};
  EXPECT_TRUE(LoadServeOptions(sources).ok());
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

}  // namespace
}  // namespace hangar
