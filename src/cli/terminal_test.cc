#include "cli/terminal.h"

#include <gmock/gmock.h>

namespace hangar::cli {
namespace {

TEST(Printable, EscapesWhatCouldSteerATerminal) {
  EXPECT_EQ(Printable("plain äöü 東"), "plain äöü 東");
  EXPECT_EQ(Printable("a\x1b[31mb\n\t\r"), "a\\x1b[31mb\\n\\t\\r");
  EXPECT_EQ(Printable(std::string("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(Printable("\xC2\x9B"), "\\x9b");          // CSI as one code point.
  EXPECT_EQ(Printable("a\xE2\x80\xAE"), "a\\u202e");  // Right to left from here.
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("\xFF"), "\\xff");
  EXPECT_EQ(Printable("\xE2\x82"), "\\xe2\\x82");
  EXPECT_EQ(Printable("\xC0\xAF"), "\\xc0\\xaf");           // Overlong.
  EXPECT_EQ(Printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // A surrogate.
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("äöü"), 3);
  EXPECT_EQ(DisplayWidth("東京"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("\U0001F680"), 2);
}

TEST(CutToWidth, CutsAtCharacters) {
  EXPECT_EQ(CutToWidth("abcdef", 6), "abcdef");
  EXPECT_EQ(CutToWidth("abcdef", 4), "abc…");
  EXPECT_EQ(CutToWidth("äöüß", 3), "äö…");
  EXPECT_EQ(CutToWidth("東京都", 4), "東…");
  EXPECT_EQ(CutToWidth("abc", 1), "…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

TEST(OneLine, JoinsLines) {
  EXPECT_EQ(OneLine("  a\n\n b\tc \r\n"), "a b c");
  EXPECT_EQ(OneLine(""), "");
}

}  // namespace
}  // namespace hangar::cli
