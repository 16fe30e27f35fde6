#include "catalog/dataset_name.h"

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

std::string Segments(int count) {
  std::string name = "a";
  for (int i = 1; i < count; ++i) name += "/a";
  return name;
}

TEST(DatasetName, TakesAnyPlainRelativePath) {
  for (const std::string& name :
       {std::string("uploaded.parquet"), std::string("a"), std::string("sales/2026/eu.parquet"),
        std::string("with space, %41 + = * ?.parquet"),
        std::string("gr\xC3\xB6\xC3\x9F"
                    "e"),
        std::string("-rf"), std::string("a.b..c"), std::string("hangar_"), std::string("x_hangar"),
        std::string(255, 'x'), Segments(16), std::string("a:b|c<d>\"e")}) {
    const auto parsed = DatasetName::Parse(name);
    ASSERT_TRUE(parsed.ok()) << Quoted(name) << parsed.status().message();
    EXPECT_EQ(parsed->value(), name);
  }
}

TEST(DatasetName, RefusesEverythingElseAndSaysWhy) {
  const struct {
    std::string name;
    std::string why;
  } cases[] = {
      {"", "empty"},
      {"..", "'..'"},
      {"../a", "'..'"},
      {"a/../../b", "'..'"},
      {"./a", "'.'"},
      {"a/.", "'.'"},
      {"/etc/passwd", "empty segment"},
      {"a/", "empty segment"},
      {"a//b", "empty segment"},
      {"/", "empty segment"},
      {".hidden", "begins with '.'"},
      {"a/.hidden", "begins with '.'"},
      {"_hangar", "reserved"},
      {"_hangar/staging/1", "reserved"},
      {"a/_hangar2", "reserved"},
      {"a\\b", "'\\'"},
      {std::string("a\0b", 3), "control"},
      {"a\nb", "control"},
      {"a\x7F", "control"},
      {"a\xC2\x85"
       "b",
       "control"},
      {"a\xFF", "UTF-8"},
      {"\xC0\xAE\xC0\xAE/a", "UTF-8"},
      {std::string(256, 'x'), "255"},
      {std::string(1025, 'x'), "1,024"},
      {Segments(17), "16 segments"},
  };
  for (const auto& c : cases) {
    const auto parsed = DatasetName::Parse(c.name);
    ASSERT_FALSE(parsed.ok()) << Quoted(c.name);
    EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInvalidArgument);
    EXPECT_NE(parsed.status().message().find(c.why), std::string::npos)
        << parsed.status().message();
  }
}

}  // namespace
}  // namespace hangar
