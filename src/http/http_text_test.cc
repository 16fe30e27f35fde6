#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/accept.h"
#include "http/header_text.h"
#include "http/http_date.h"
#include "http/preconditions.h"
#include "http/target.h"

namespace hangar {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr HttpTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)};
constexpr HttpTime kThen{std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) +
                         std::chrono::hours(8) + std::chrono::minutes(49) +
                         std::chrono::seconds(37)};

TEST(HttpDate, ReadsAllThreeForms) {
  EXPECT_EQ(FormatHttpDate(kThen), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kThen);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kThen);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994", kNow), kThen);
}

TEST(HttpDate, ATwoDigitYearIsAtMostFiftyYearsAhead) {
  EXPECT_EQ(FormatHttpDate(*ParseHttpDate("Sunday, 06-Nov-76 08:49:37 GMT", kNow)).substr(12, 4),
            "2076");
  EXPECT_EQ(FormatHttpDate(*ParseHttpDate("Sunday, 06-Nov-77 08:49:37 GMT", kNow)).substr(12, 4),
            "1977");
}

TEST(HttpDate, RefusesWhatIsNone) {
  for (const auto* text :
       {"", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 -8:49:37 GMT", "1994-11-06"}) {
    EXPECT_EQ(ParseHttpDate(text, kNow), std::nullopt) << text;
  }
}

TEST(EntityTags, AreReadByTheLetter) {
  EXPECT_TRUE(ParseEntityTags("*")->any);
  EXPECT_THAT(ParseEntityTags(R"("a", W/"b,c" ,,"")")->tags,
              ElementsAre(R"("a")", R"(W/"b,c")", R"("")"));
  for (const auto* text : {"", "a", "\"a", "w/\"a\"", "\"a\" b", "\"a b\""}) {
    EXPECT_FALSE(ParseEntityTags(text).has_value()) << text;
  }
}

TEST(Target, IsReadInItsThreeForms) {
  EXPECT_EQ(ParseHttpTarget("/a/b?x=1")->path, "/a/b");
  EXPECT_EQ(ParseHttpTarget("http://host:80/a?x=1")->path, "/a");
  EXPECT_EQ(ParseHttpTarget("HTTPS://host")->path, "/");
  EXPECT_EQ(ParseHttpTarget("http://host?x=1")->path, "/");
  EXPECT_EQ(ParseHttpTarget("*")->path, "*");
  for (const auto* text : {"", "a/b", "ftp://host/a", "host:80"}) {
    EXPECT_FALSE(ParseHttpTarget(text).ok()) << text;
  }
}

TEST(Target, TheQueryIsDecodedAndThePathIsNot) {
  const auto target = ParseHttpTarget("/a%2Fb?x=1%2B1&y=a+b&&z&w==").ValueOrDie();
  EXPECT_EQ(target.path, "/a%2Fb");
  EXPECT_THAT(target.query,
              ElementsAre(Pair("x", "1+1"), Pair("y", "a b"), Pair("z", ""), Pair("w", "=")));
  for (const auto* text : {"/?x=%", "/?x=%4", "/?x=%zz", "/?x=%FF"}) {
    EXPECT_FALSE(ParseHttpTarget(text).ok()) << text;
  }
}

TEST(Target, WhatIsEncodedComesBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(PercentDecode(PercentEncode(all, true)), all);
  EXPECT_EQ(PercentDecode(PercentEncode(all, false)), all);
  EXPECT_EQ(DatasetPath("a/b c"), "/v1/datasets/a/b%20c");
  EXPECT_EQ(DatasetPath("a/schema"), "/v1/datasets/a%2Fschema");
  EXPECT_EQ(DatasetPath("schema"), "/v1/datasets/schema");
}

TEST(Accept, TakesTheMostWantedTheFirstOfEquals) {
  constexpr std::array<std::string_view, 3> kOffered = {"a/x", "a/y", "b/z"};
  EXPECT_EQ(ChooseMediaType("*/*", kOffered), 0);
  EXPECT_EQ(ChooseMediaType("b/*, a/y;q=0.5", kOffered), 2);
  EXPECT_EQ(ChooseMediaType("a/*;q=0.5, A/Y;q=0.7;v=1", kOffered), 1);
  // The closest range counts, whatever the order.
  EXPECT_EQ(ChooseMediaType("a/x;q=0, */*;q=0.1", kOffered), 1);
  EXPECT_EQ(ChooseMediaType("c/*", kOffered), std::nullopt);
  EXPECT_EQ(ChooseMediaType("a/x;q=0", kOffered), std::nullopt);
  EXPECT_EQ(ChooseMediaType("", kOffered), std::nullopt);
}

}  // namespace
}  // namespace hangar
