#include "cli/file_type.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar::cli {
namespace {

TEST(TypeOfName, KnowsTheExtensions) {
  const auto plain = [](FileFormat format) { return FileType{format, FileCompression::kNone}; };
  EXPECT_EQ(TypeOfName("a.parquet"), plain(FileFormat::kParquet));
  EXPECT_EQ(TypeOfName("a.arrow"), plain(FileFormat::kArrowFile));
  EXPECT_EQ(TypeOfName("a.feather"), plain(FileFormat::kArrowFile));
  EXPECT_EQ(TypeOfName("a.ipc"), plain(FileFormat::kArrowFile));
  EXPECT_EQ(TypeOfName("a.arrows"), plain(FileFormat::kArrowStream));
  EXPECT_EQ(TypeOfName("dir.parquet/A.CSV"), plain(FileFormat::kCsv));
  EXPECT_EQ(TypeOfName("a.tsv"), plain(FileFormat::kTsv));
  for (const char* name : {"a.jsonl", "a.ndjson", "a.json"}) {
    EXPECT_EQ(TypeOfName(name), plain(FileFormat::kJsonLines)) << name;
  }
  EXPECT_EQ(TypeOfName("a.csv.gz"), (FileType{FileFormat::kCsv, FileCompression::kGzip}));
  EXPECT_EQ(TypeOfName("a.jsonl.zst"), (FileType{FileFormat::kJsonLines, FileCompression::kZstd}));
}

TEST(TypeOfName, KnowsNoOthers) {
  for (const char* name : {"a", "a.txt", "csv", "a.parquet.gz", "a.gz", ""}) {
    EXPECT_EQ(TypeOfName(name), std::nullopt) << name;
  }
}

TEST(ResolveType, PrefersTheFormatThatIsGiven) {
  EXPECT_EQ(*ResolveType("a.parquet", "csv"), (FileType{FileFormat::kCsv, FileCompression::kNone}));
  EXPECT_EQ(*ResolveType("a.txt.gz", "csv"), (FileType{FileFormat::kCsv, FileCompression::kGzip}));
  for (const std::string& name : FormatNames()) EXPECT_TRUE(ResolveType("", name).ok()) << name;
}

TEST(ResolveType, SaysHowToTell) {
  const auto type = ResolveType("a.txt", "");
  EXPECT_EQ(KindOf(type.status()), ErrorKind::kInvalidArgument);
  EXPECT_THAT(type.status().message(),
              testing::AllOf(testing::HasSubstr("'a.txt'"), testing::HasSubstr("--format")));
}

TEST(IsBinary, IsFalseForPlainText) {
  EXPECT_TRUE(IsBinary({FileFormat::kParquet, FileCompression::kNone}));
  EXPECT_TRUE(IsBinary({FileFormat::kCsv, FileCompression::kGzip}));
  EXPECT_FALSE(IsBinary({FileFormat::kJsonLines, FileCompression::kNone}));
}

}  // namespace
}  // namespace hangar::cli
