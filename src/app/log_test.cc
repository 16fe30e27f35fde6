#include "app/log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hangar {
namespace {

TEST(FormatTextEvent, QuotesValuesThatNeedItAndEscapesControlCharacters) {
  EXPECT_EQ(FormatTextEvent("dropped", {{"dataset", "a/b.parquet"}, {"peer", "x y"}}),
            "dropped dataset=a/b.parquet peer=\"x y\"");
  EXPECT_EQ(FormatTextEvent("m", {{"k", "a\nb=\"c\\"}}), "m k=\"a\\x0ab=\\\"c\\\\\"");
  EXPECT_EQ(FormatTextEvent("m", {{"k", ""}}), "m k=\"\"");
}

TEST(FormatJsonEvent, IsTheRestOfAnObjectWhateverTheValuesHold) {
  const auto parsed =
      nlohmann::json::parse("{" + FormatJsonEvent("m", {{"k", "a\n\"\xFF"}, {"l", "2"}}));
  EXPECT_EQ(parsed["message"], "m");
  EXPECT_EQ(parsed["k"], "a\n\"\xEF\xBF\xBD");
  EXPECT_EQ(parsed["l"], "2");
}

}  // namespace
}  // namespace hangar
