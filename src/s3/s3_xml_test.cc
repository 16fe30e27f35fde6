#include "s3/s3_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "s3/md5.h"
#include "s3/uri_encoding.h"
#include "s3/write_outcome.h"

namespace hangar {
namespace {

using Kind = S3Condition::Kind;

TEST(S3Xml, ReadsAListing) {
  const S3Listing listing = ParseListing(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>bucket</Name><IsTruncated>true</IsTruncated>
  <NextContinuationToken>a&amp;b %</NextContinuationToken>
  <Contents><Key>a%20b%2Bc+d%E6%97%A5</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>
    <ETag>&quot;abc-2&quot;</ETag><Size>5000000000</Size></Contents>
  <CommonPrefixes><Prefix>x%25/</Prefix></CommonPrefixes>
</ListBucketResult>)")
                                .ValueOrDie();
  ASSERT_EQ(listing.objects.size(), 1);
  EXPECT_EQ(listing.objects[0].key, "a b+c d日");
  EXPECT_EQ(listing.objects[0].etag, "abc-2");
  EXPECT_EQ(listing.objects[0].size_bytes, 5'000'000'000);
  EXPECT_EQ(FormatTimestamp(listing.objects[0].modified), "2026-01-02T03:04:05.678000000Z");
  EXPECT_EQ(listing.prefixes, std::vector<std::string>{"x%/"});
  EXPECT_EQ(listing.next_page, "a&b %");
}

TEST(S3Xml, RefusesWhatIsNoListing) {
  for (const char* xml :
       {"", "<", "<html/>", "<ListBucketResult>",
        "<ListBucketResult><Contents/></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>%4</Key><Size>1</Size><LastModified>2026-01-02T03:04:05Z"
        "</LastModified></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>x</Size><LastModified>2026-01-02T03:04:05Z"
        "</LastModified></Contents></ListBucketResult>"}) {
    EXPECT_FALSE(ParseListing(xml).ok()) << xml;
  }
}

TEST(S3Xml, ReadsErrorsAlsoWithoutAMessage) {
  EXPECT_EQ(ParseErrorDocument("<Error><Code>SlowDown</Code><Message/></Error>")->code, "SlowDown");
  EXPECT_EQ(ParseErrorDocument("<Other/>"), std::nullopt);
  EXPECT_EQ(ParseErrorDocument(""), std::nullopt);
}

TEST(S3Xml, ReadsCopiesOfObjectsAndParts) {
  for (const std::string root : {"CopyObjectResult", "CopyPartResult"}) {
    const std::string xml = "<" + root + "><LastModified>2026-01-02T03:04:05.000Z</LastModified>" +
                            "<ETag>&quot;e&quot;</ETag></" + root + ">";
    EXPECT_EQ(ParseCopy(xml).ValueOrDie().etag, "e");
  }
  EXPECT_FALSE(ParseCopy("<CopyObjectResult/>").ok());
}

TEST(S3Xml, WritesTheListOfPartsEscaped) {
  EXPECT_EQ(CompleteUploadDocument({{1, "a<b"}, {2, "c"}}),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>\"a&lt;b\"</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>\"c\"</ETag></Part>"
            "</CompleteMultipartUpload>");
}

TEST(Md5, MakesTheETagOfAnObjectOfParts) {
  EXPECT_EQ(Hexadecimal(Md5Of("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Base64(Md5Of("")), "1B2M2Y8AsgTpgAmY7PhCfg==");
  // printf '\324\035\214\331\217\000\262\004\351\200\011\230\354\370\102\176' | md5sum
  EXPECT_EQ(MultipartETag({{1, "d41d8cd98f00b204e9800998ecf8427e"}}),
            "59adb24ef3cdbe0297f05b395827453f-1");
  EXPECT_EQ(MultipartETag({{1, "not hexadecimal, as encryption has it"}}), std::nullopt);
}

TEST(UriEncoding, LeavesUnreservedCharactersAndSlashesOfPaths) {
  EXPECT_EQ(EncodedPath("a b/+%=*&?#~-._ü"), "a%20b/%2B%25%3D%2A%26%3F%23~-._%C3%BC");
  EXPECT_EQ(PercentEncoded("a/b"), "a%2Fb");
  EXPECT_EQ(EncodedQuery({{"b", "1"}, {"a", "x y"}, {"B", ""}}), "B=&a=x%20y&b=1");
}

TEST(UriEncoding, DecodesWhatItEncodes) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_EQ(PercentDecoded(PercentEncoded(bytes), PlusSign::kIsSpace), bytes);
  EXPECT_EQ(PercentDecoded("a+b", PlusSign::kIsPlus), "a+b");
  EXPECT_EQ(PercentDecoded("%", PlusSign::kIsPlus), std::nullopt);
  EXPECT_EQ(PercentDecoded("%4", PlusSign::kIsPlus), std::nullopt);
  EXPECT_EQ(PercentDecoded("%4g", PlusSign::kIsPlus), std::nullopt);
}

TEST(UriEncoding, FindsSegmentsOfDots) {
  for (const char* path : {".", "..", "a/.", "../a", "a/../b"}) EXPECT_TRUE(HasDotSegment(path));
  for (const char* path : {"", "a", "...", "a/.b", "a./b", "//"}) EXPECT_FALSE(HasDotSegment(path));
}

TEST(WriteOutcome, IsDoneWhereWhatWasWrittenStands) {
  const S3Object found{.etag = "new", .size_bytes = 3};
  for (const Kind kind : {Kind::kNone, Kind::kAbsent, Kind::kETag}) {
    const S3Condition condition{.kind = kind, .etag = "old"};
    EXPECT_EQ(OutcomeOfWrite({"new", 3}, condition, found), WriteOutcome::kDone);
    EXPECT_EQ(OutcomeOfWrite({"new", std::nullopt}, condition, found), WriteOutcome::kDone);
    EXPECT_NE(OutcomeOfWrite({"new", 4}, condition, found), WriteOutcome::kDone);
    EXPECT_NE(OutcomeOfWrite({std::nullopt, 3}, condition, found), WriteOutcome::kDone);
  }
}

TEST(WriteOutcome, IsAConflictWhereTheConditionHoldsNoMore) {
  const S3Object other{.etag = "other"};
  const S3Object old{.etag = "old"};
  const WrittenObject written{"new", 3};
  const S3Condition absent{.kind = Kind::kAbsent};
  const S3Condition match{.kind = Kind::kETag, .etag = "old"};
  EXPECT_EQ(OutcomeOfWrite(written, absent, std::nullopt), WriteOutcome::kNotDone);
  EXPECT_EQ(OutcomeOfWrite(written, absent, other), WriteOutcome::kConflict);
  EXPECT_EQ(OutcomeOfWrite(written, match, old), WriteOutcome::kNotDone);
  EXPECT_EQ(OutcomeOfWrite(written, match, other), WriteOutcome::kConflict);
  EXPECT_EQ(OutcomeOfWrite(written, match, std::nullopt), WriteOutcome::kConflict);
  EXPECT_EQ(OutcomeOfWrite(written, {}, other), WriteOutcome::kNotDone);
}

}  // namespace
}  // namespace hangar
