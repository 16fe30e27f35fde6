#include "cli/dataset_reference.h"

#include <string>

#include <gmock/gmock.h>

#include "base/clock.h"

namespace hangar::cli {
namespace {

const std::string kVersion = "0123456789abcdef0123456789abcdef";

TEST(ParseDatasetReference, TakesAVersionBehindTheLastAt) {
  const auto reference = ParseDatasetReference("a/b.parquet@" + kVersion);
  EXPECT_EQ(reference.name, "a/b.parquet");
  EXPECT_EQ(reference.choice.version, kVersion);
  EXPECT_FALSE(reference.choice.as_of.has_value());
  EXPECT_EQ(ParseDatasetReference("a@b@" + kVersion).name, "a@b");
}

TEST(ParseDatasetReference, TakesATimeOrADate) {
  for (const auto& [text, time] :
       {std::pair{"2026-01-31", "2026-01-31T00:00:00.000000000Z"},
        {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000000Z"},
        {"2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500000000Z"},
        {"2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000000000Z"}}) {
    const auto reference = ParseDatasetReference(std::string("a@") + text);
    EXPECT_EQ(reference.name, "a") << text;
    ASSERT_TRUE(reference.choice.as_of.has_value()) << text;
    EXPECT_EQ(FormatTimestamp(*reference.choice.as_of), time);
    EXPECT_EQ(reference.choice.version, "");
  }
}

TEST(ParseDatasetReference, LeavesAnyOtherAtToTheName) {
  for (const std::string& text :
       {std::string("a"), std::string("a@"), std::string("me@example.org/x.parquet"),
        "a@" + kVersion + "0", "a@" + kVersion.substr(1), "a@" + kVersion.substr(1) + "g",
        std::string("a@2026-13-01"), std::string("a@2026-01-31T12:00:00"),
        std::string("a@2026-01-31.parquet"), "@" + kVersion, std::string("@")}) {
    const auto reference = ParseDatasetReference(text);
    EXPECT_EQ(reference.name, text);
    EXPECT_EQ(reference.choice.version, "");
    EXPECT_FALSE(reference.choice.as_of.has_value());
  }
}

TEST(ResolveReference, LeavesTheWholeNameAloneWhereAFlagChooses) {
  const std::string name = "a@" + kVersion;
  EXPECT_EQ(ResolveReference(name, {}).name, "a");
  const auto by_version = ResolveReference(name, {.version = "v", .as_of = ""});
  EXPECT_EQ(by_version.name, name);
  EXPECT_EQ(by_version.choice.version, "v");
  const auto by_time = ResolveReference(name, {.version = "", .as_of = "2026-01-31"});
  EXPECT_EQ(by_time.name, name);
  EXPECT_TRUE(by_time.choice.as_of.has_value());
}

}  // namespace
}  // namespace hangar::cli
