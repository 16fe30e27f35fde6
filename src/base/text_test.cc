#include "base/text.h"

#include <string>

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(Utf8, AcceptsWellFormedAndRefusesTheRest) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("plain"));
  EXPECT_TRUE(
      IsValidUtf8("gr\xC3\xB6\xC3\x9F"
                  "e \xE2\x82\xAC \xF0\x9F\x8D\x84"));
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\xAF", "\xED\xA0\x80", "\xE2\x82",
                          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "ok\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(bad)) << Quoted(bad);
  }
}

TEST(Quoted, EscapesControlCharactersAndBytesThatAreNotUtf8) {
  EXPECT_EQ(Quoted("a/b"), "'a/b'");
  EXPECT_EQ(Quoted(std::string("a\0\n\x7F\xFF", 5)), "'a\\x00\\x0a\\x7f\\xff'");
  EXPECT_EQ(Quoted("\xC3\xB6"), "'\xC3\xB6'");
}

TEST(Quoted, EscapesWhatMakesALineCommandsATerminalOrTurnsTheDirection) {
  EXPECT_EQ(Quoted("a\xC2\x9Bz"), "'a\\xc2\\x9bz'");
  EXPECT_EQ(Quoted("a\u2028\u2029z"), "'a\\xe2\\x80\\xa8\\xe2\\x80\\xa9z'");
  for (const char* turns : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202E", "\u2066", "\u2069"}) {
    EXPECT_TRUE(Quoted(turns).starts_with("'\\x")) << Quoted(turns);
  }
  for (const char* harmless : {"\u00A0", "\u061B", "\u200D", "\u2030", "\u2065", "\u20AC"}) {
    EXPECT_EQ(Quoted(harmless), "'" + std::string(harmless) + "'");
  }
}

TEST(Escaped, IsAsQuotedWithoutAnEndAndKeepsQuotesApart) {
  EXPECT_EQ(Escaped("say \"a\\b\"\n"), "say \\\"a\\\\b\\\"\\x0a");
  EXPECT_EQ(Escaped(std::string(500, 'x')), std::string(500, 'x'));
  EXPECT_EQ(Escaped("\xC3\xB6\xC3"), "\xC3\xB6\\xc3");
}

TEST(Quoted, CutsLongTextAtACharacter) {
  const std::string quoted = Quoted(std::string(119, 'x') + "\xC3\xB6" + "tail");
  EXPECT_EQ(quoted, "'" + std::string(119, 'x') + "\xC3\xB6...'");
}

TEST(Glob, StarStaysInItsSegmentAndTwoStarsDoNot) {
  EXPECT_TRUE(GlobMatches("*.parquet", "a.parquet"));
  EXPECT_FALSE(GlobMatches("*.parquet", "x/a.parquet"));
  EXPECT_TRUE(GlobMatches("**.parquet", "x/y/a.parquet"));
  EXPECT_TRUE(GlobMatches("x/**", "x/y/a.parquet"));
  EXPECT_TRUE(GlobMatches("x/*/a*", "x/y/a.parquet"));
  EXPECT_FALSE(GlobMatches("x/*", "x/y/a.parquet"));
  EXPECT_TRUE(GlobMatches("**", ""));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
}

TEST(Glob, SetsQuestionMarksAndEscapes) {
  EXPECT_TRUE(GlobMatches("a[0-9x]?", "a7b"));
  EXPECT_FALSE(GlobMatches("a[0-9x]?", "ayb"));
  EXPECT_TRUE(GlobMatches("a[!0-9]", "ab"));
  EXPECT_FALSE(GlobMatches("a[!0-9]", "a/"));
  EXPECT_TRUE(GlobMatches("a\\*", "a*"));
  EXPECT_FALSE(GlobMatches("a\\*", "ab"));
  EXPECT_TRUE(GlobMatches("a[", "a["));
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
  std::string glob;
  for (int i = 0; i < 200; ++i) glob += "*a";
  EXPECT_FALSE(GlobMatches(glob + "b", std::string(1000, 'a')));
  EXPECT_TRUE(GlobMatches(glob, std::string(1000, 'a')));
}

}  // namespace
}  // namespace hangar
