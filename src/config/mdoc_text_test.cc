#include "config/mdoc_text.h"

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(MdocText, HoldsNoRequestsAndNoEscapes) {
  EXPECT_EQ(MdocText(".Sh -x \\fB"), "\\&.Sh \\-x \\efB");
  EXPECT_EQ(MdocText("'quoted'"), "\\&'quoted'");
}

TEST(MdocText, BeginsALineWithEachSentence) {
  EXPECT_EQ(MdocText("One. Two, e.g. three. 4."), "One.\nTwo, e.g. three. 4.");
}

TEST(MdocText, AWordIsOneArgumentAndNoMacro) {
  EXPECT_EQ(MdocWord("Ar|b\"c"), "\"\\&Ar|b\\(dqc\"");
}

TEST(MdocText, LinesOfALiteralStayLines) {
  EXPECT_EQ(MdocLiteral("a -b\n.c"), "a \\-b\n\\&.c\n");
  EXPECT_EQ(MdocLiteral(""), "");
}

}  // namespace
}  // namespace hangar
