#include "text/json_object.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

JsonObject Parsed(const std::string& text) {
  return JsonObject::Parse(text, "the command").ValueOrDie();
}

template <typename T>
std::string ErrorOf(const arrow::Result<T>& result) {
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(KindOf(result.status()), ErrorKind::kInvalidArgument);
  return result.status().message();
}

TEST(JsonObject, TakesEachTypeAndKnowsWhatIsAbsent) {
  auto object = Parsed(R"({"s": "x", "i": -3, "b": true, "l": ["a", "b"]})");
  EXPECT_EQ(*object.TakeString("s"), "x");
  EXPECT_EQ(*object.TakeInteger("i"), -3);
  EXPECT_EQ(*object.TakeBool("b"), true);
  EXPECT_EQ(*object.TakeStrings("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*object.TakeString("absent"), std::nullopt);
  EXPECT_TRUE(object.Finish().ok());
}

TEST(JsonObject, AWrongTypeNamesTheKey) {
  for (const char* value : {"null", "{}", "[1]", "1.5", "18446744073709551615"}) {
    const std::string text = std::string(R"({"key": )") + value + "}";
    EXPECT_THAT(ErrorOf(Parsed(text).TakeString("key")), HasSubstr("'key'"));
    EXPECT_THAT(ErrorOf(Parsed(text).TakeInteger("key")), HasSubstr("'key'"));
    EXPECT_THAT(ErrorOf(Parsed(text).TakeBool("key")), HasSubstr("'key'"));
    EXPECT_THAT(ErrorOf(Parsed(text).TakeStrings("key")), HasSubstr("'key'"));
  }
  EXPECT_THAT(ErrorOf(Parsed("{}").TakeRequiredString("key")), HasSubstr("lacks the key 'key'"));
}

TEST(JsonObject, RefusesWhatNobodyTook) {
  auto object = Parsed(R"({"limit": 1, "limmit": 2})");
  ASSERT_TRUE(object.TakeInteger("limit").ok());
  const auto status = object.Finish();
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("unknown key 'limmit'; the keys are limit"));
}

TEST(JsonObject, RefusesWhatIsNotOneObject) {
  for (const std::string& text :
       {std::string(""), std::string("{"), std::string("{}}"), std::string("[]"), std::string("1"),
        std::string("{}\0x", 4), std::string(R"({"a": "\xFF"})"),
        std::string(R"({"a": 1, "a": 2})"),
        std::string("{\"a\":\"") + std::string(2 << 20, 'x') + "\"}", std::string(100'000, '[')}) {
    EXPECT_FALSE(JsonObject::Parse(text, "the command").ok()) << text.substr(0, 50);
  }
  // Equal keys further inside belong to whoever defines that inside.
  EXPECT_TRUE(JsonObject::Parse(R"({"a": {"b": 1, "b": 2}})", "the command").ok());
}

}  // namespace
}  // namespace hangar
