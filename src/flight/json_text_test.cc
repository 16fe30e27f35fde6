#include "flight/json_text.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hangar {
namespace {

using nlohmann::json;

TEST(JsonText, AnObjectOfNothingIsAnObject) { EXPECT_EQ(JsonText().Take(), "{}"); }

TEST(JsonText, AParserGetsBackWhatWasAdded) {
  const std::vector<std::string> list = {"", "a\"b", "c,d", "日本"};
  const std::string text = JsonText()
                               .Add("most", std::numeric_limits<int64_t>::max())
                               .Add("least", std::numeric_limits<int64_t>::min())
                               .Add("list", list)
                               .Add("none", std::vector<std::string>())
                               .Take();
  const json want = {{"most", std::numeric_limits<int64_t>::max()},
                     {"least", std::numeric_limits<int64_t>::min()},
                     {"list", list},
                     {"none", json::array()}};
  EXPECT_EQ(json::parse(text), want);
}

TEST(JsonText, EveryCharacterOfAStringSurvives) {
  std::string all;
  for (char c = 0; c < 127; ++c) all += c;
  all += "\x7f\u00e9\u65e5\U0001f40d";
  EXPECT_EQ(json::parse(JsonText().Add("all", all).Take())["all"], all);
}

}  // namespace
}  // namespace hangar
