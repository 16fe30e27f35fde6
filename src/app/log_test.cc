#include "app/log.h"

#include <functional>
#include <sstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hangar {
namespace {

TEST(FormatTextEvent, QuotesValuesThatNeedItAndEscapesControlCharacters) {
  EXPECT_EQ(FormatTextEvent("dropped", {{"dataset", "a/b.parquet"}, {"peer", "x y"}}),
            "dropped dataset=a/b.parquet peer=\"x y\"");
  EXPECT_EQ(FormatTextEvent("m", {{"k", "a\nb=\"c\\"}}), "m k=\"a\\x0ab=\\\"c\\\\\"");
  EXPECT_EQ(FormatTextEvent("m", {{"k", "\x7f"}}), "m k=\"\\x7f\"");
  EXPECT_EQ(FormatTextEvent("m", {{"k", "a\u2028b\u202e\xff"}}),
            "m k=\"a\\xe2\\x80\\xa8b\\xe2\\x80\\xae\\xff\"");
  EXPECT_EQ(FormatTextEvent("m", {{"k", "gr\u00f6\u00dfe"}}), "m k=\"gr\u00f6\u00dfe\"");
}

TEST(FormatTextEvent, LeavesOutWhatHasNoValue) {
  EXPECT_EQ(FormatTextEvent("m", {{"k", ""}, {"l", "2", true}}), "m l=2");
}

TEST(FormatJsonEvent, IsTheRestOfAnObjectWhateverTheValuesHold) {
  const auto parsed = nlohmann::json::parse(
      "{" +
      FormatJsonEvent("m", {{"k", "a\n\"\xFF"}, {"l", "2"}, {"m", "2.500", true}, {"n", ""}}));
  EXPECT_EQ(parsed,
            (nlohmann::json{{"message", "m"}, {"k", "a\n\"\xEF\xBF\xBD"}, {"l", "2"}, {"m", 2.5}}));
}

TEST(FormatJsonEvent, HoldsOnlyPrintableAscii) {
  const std::string hostile = "\x01\x7f\r\n\u0085\u009b\u2028\u2029\u202e\u00f6\xff";
  for (const char c : FormatJsonEvent("m", {{"k", hostile}})) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

class LoggerTest : public ::testing::Test {
 protected:
  // What the logger writes to standard error meanwhile.
  static std::vector<std::string> LinesOf(const std::function<void()>& write) {
    ::testing::internal::CaptureStderr();
    write();
    std::istringstream captured(::testing::internal::GetCapturedStderr());
    std::vector<std::string> lines;
    for (std::string line; std::getline(captured, line);) lines.push_back(line);
    return lines;
  }
};

TEST_F(LoggerTest, ATextLineBeginsWithTimeAndLevel) {
  const auto lines = LinesOf([] { MakeLogger("info", LogFormat::kText)->Info("m", {{"k", "v"}}); });
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0],
              ::testing::MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9][0-9][0-9]"
                                      "[0-9][0-9][0-9]Z info    m k=v"));
}

TEST_F(LoggerTest, AJsonLineIsAnObjectWithTimeLevelMessageAndFields) {
  const auto lines = LinesOf([] {
    MakeLogger("info", LogFormat::kJson)->Warning("100 %v", {{"k", "%l"}, {"n", "7", true}});
  });
  ASSERT_EQ(lines.size(), 1u);
  auto event = nlohmann::json::parse(lines[0]);
  EXPECT_THAT(event["time"].get<std::string>(),
              ::testing::MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9][0-9][0-9][0-9]Z"));
  event.erase("time");
  EXPECT_EQ(event,
            (nlohmann::json{{"level", "warning"}, {"message", "100 %v"}, {"k", "%l"}, {"n", 7}}));
}

TEST_F(LoggerTest, TheLevelCanBeChangedWhileItIsUsed) {
  const auto lines = LinesOf([] {
    const auto logger = MakeLogger("warning", LogFormat::kText);
    EXPECT_FALSE(logger->Logs(LogLevel::kInfo));
    logger->Info("not this");
    logger->SetLevel("debug");
    EXPECT_TRUE(logger->Logs(LogLevel::kDebug));
    logger->Write(LogLevel::kDebug, "this", {});
    logger->SetLevel("error");
    logger->Warning("nor this");
  });
  EXPECT_THAT(lines, ::testing::ElementsAre(::testing::EndsWith("debug   this")));
}

}  // namespace
}  // namespace hangar
