// Against a real store: HANGAR_S3_URI names a location of it, for example
// "s3://test/some-prefix?endpoint=http://127.0.0.1:19000", and the AWS_* variables hold
// credentials.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <format>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "metrics/metrics.h"
#include "s3/bucket_client.h"
#include "s3/environment.h"
#include "s3/md5.h"
#include "s3/s3_client.h"

namespace hangar {
namespace {

using Kind = S3Condition::Kind;

constexpr int64_t kPartBytesMin = 5 << 20;

std::string RandomBytes(size_t size, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

S3Condition IfAbsent() { return {.kind = Kind::kAbsent}; }
S3Condition IfMatch(std::string etag) { return {.kind = Kind::kETag, .etag = std::move(etag)}; }

#define ASSERT_KIND(kind, expression) \
  ASSERT_EQ(KindOf(ToStatus(expression)), ErrorKind::kind) << ToStatus(expression).ToString()

arrow::Status ToStatus(const arrow::Status& status) { return status; }
template <typename T>
arrow::Status ToStatus(const arrow::Result<T>& result) {
  return result.status();
}

class StderrLogger : public Logger {
 public:
  void Write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const LogField& field : fields) line += std::format(" {}={}", field.key, field.value);
    std::cerr << line << std::endl;
  }
};

class S3Server : public testing::Test {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("HANGAR_S3_URI");
    if (uri == nullptr || *uri == '\0') {
      GTEST_SKIP() << "HANGAR_S3_URI is not set: no real object store to try this with";
    }
    location_ = ParseS3Location(uri).ValueOrDie();
    location_.prefix += std::format("{:x}/", std::random_device{}());
    client_ = MakeClient({});
  }

  void TearDown() override {
    if (!client_) return;
    const auto uploads = client_->ListUploads(location_.prefix).ValueOrDie();
    for (const S3Upload& upload : uploads) {
      ASSERT_TRUE(client_->AbortUpload(upload.key, upload.upload_id).ok());
    }
    for (const S3Object& object : ListAll()) ASSERT_TRUE(client_->Delete(object.key, {}).ok());
  }

  std::shared_ptr<S3Client> MakeClient(BucketClientSettings settings) {
    return MakeBucketClient(location_, std::move(settings), ProcessEnvironment(),
                            std::make_shared<StderrLogger>(), &metrics_)
        .ValueOrDie();
  }

  std::vector<S3Object> ListAll(int keys_max = 1000) {
    std::vector<S3Object> objects;
    S3ListRequest request{.prefix = location_.prefix, .keys_max = keys_max};
    do {
      S3Listing listing = client_->List(request).ValueOrDie();
      std::ranges::move(listing.objects, std::back_inserter(objects));
      request.page = listing.next_page;
    } while (request.page);
    return objects;
  }

  std::string Key(const std::string& name) const { return location_.prefix + name; }

  std::string Upload(const std::string& key, const std::vector<std::string>& parts,
                     std::vector<S3Part>* sent) {
    std::string id = client_->BeginUpload(key).ValueOrDie();
    for (size_t i = 0; i < parts.size(); ++i) {
      sent->push_back(client_->UploadPart(key, id, static_cast<int>(i) + 1, parts[i]).ValueOrDie());
    }
    return id;
  }

  Metrics metrics_;
  S3Location location_;
  std::shared_ptr<S3Client> client_;
};

TEST_F(S3Server, GivesBackWhatWasWritten) {
  const std::string bytes = RandomBytes(100'000, 1);
  const S3Object written = client_->Write(Key("a"), bytes, {}).ValueOrDie();
  EXPECT_EQ(written.etag, Hexadecimal(Md5Of(bytes)));
  EXPECT_EQ(written.size_bytes, 100'000);

  const S3Object head = client_->Head(Key("a")).ValueOrDie();
  EXPECT_EQ(head.etag, written.etag);
  EXPECT_EQ(head.size_bytes, 100'000);
  EXPECT_LT(std::chrono::abs(head.modified - Now()), std::chrono::minutes(1));

  std::string range(1000, '\0');
  ASSERT_TRUE(client_->Read(Key("a"), written.etag, 98'000, 1000, range.data()).ok());
  EXPECT_EQ(range, bytes.substr(98'000, 1000));
}

TEST_F(S3Server, KeepsAwkwardKeysApart) {
  const std::vector<std::string> names = {
      "with space", "plus+sign",  "per%cent",   "a%20b",    "equals=1",    "star*", "amp&ersand",
      "que?stion",  "ha#sh",      "do//uble",   "ünï/cödé", "日本語",      "🪶",    "quote\"s",
      "apos'",      "less<more>", "semi;c",     "co:lon",   "com,ma",      "at@",   "dollar$",
      "bang!",      "par(en)",    "[bracket]",  "{brace}",  "back\\slash", "pi|pe", "caret^",
      "til~de",     "tick`",      "dot.",       "tr ",      " lead",       "%",     "+",
      "tab\there",  "line\nfeed", "new\r\nline"};
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const auto written = client_->Write(Key(name), "of " + name, {});
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    std::string bytes;
    const auto read = client_->ReadEnd(Key(name), 1000, &bytes);
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_EQ(bytes, "of " + name);
    const auto copied = client_->Copy(Key(name), written->etag, Key("copy of " + name));
    ASSERT_TRUE(copied.ok()) << copied.status().ToString();
    EXPECT_TRUE(client_->Delete(Key("copy of " + name), IfMatch(written->etag)).ok());
    const std::string id = client_->BeginUpload(Key(name)).ValueOrDie();
    const auto uploads = client_->ListUploads(Key(name)).ValueOrDie();
    EXPECT_TRUE(std::ranges::any_of(uploads, [&](const S3Upload& upload) {
      return id.ends_with(upload.upload_id) && upload.key == Key(name);
    }));
    EXPECT_TRUE(client_->AbortUpload(Key(name), id).ok());
  }
  std::set<std::string> expected;
  for (const std::string& name : names) expected.insert(Key(name));
  for (const int keys_max : {1000, 1}) {
    std::vector<std::string> listed;
    for (const S3Object& object : ListAll(keys_max)) listed.push_back(object.key);
    EXPECT_EQ(listed, std::vector<std::string>(expected.begin(), expected.end()));
  }
}

TEST_F(S3Server, RefusesKeysThatHttpWouldChange) {
  for (const char* name : {".", "..", "a/./b", "a/../b", "../a", "a/.."}) {
    ASSERT_KIND(kInvalidArgument, client_->Write(Key(name), "a", {}));
    ASSERT_KIND(kInvalidArgument, client_->Head(Key(name)));
  }
}

TEST_F(S3Server, HoldsConditionsOfWrites) {
  const S3Object first = client_->Write(Key("a"), "first", IfAbsent()).ValueOrDie();
  ASSERT_KIND(kFailedPrecondition, client_->Write(Key("a"), "other", IfAbsent()));
  const S3Object second = client_->Write(Key("a"), "second", IfMatch(first.etag)).ValueOrDie();
  ASSERT_KIND(kFailedPrecondition, client_->Write(Key("a"), "third", IfMatch(first.etag)));
  ASSERT_KIND(kFailedPrecondition, client_->Write(Key("none"), "third", IfMatch(first.etag)));
  EXPECT_EQ(client_->Head(Key("a"))->etag, second.etag);
}

TEST_F(S3Server, HoldsConditionsOfDeletions) {
  const S3Object object = client_->Write(Key("a"), "a", {}).ValueOrDie();
  ASSERT_KIND(kFailedPrecondition, client_->Delete(Key("a"), IfMatch(Hexadecimal(Md5Of("b")))));
  ASSERT_TRUE(client_->Delete(Key("a"), IfMatch(object.etag)).ok());
  ASSERT_KIND(kNotFound, client_->Delete(Key("a"), IfMatch(object.etag)));
  ASSERT_TRUE(client_->Delete(Key("a"), {}).ok());
}

TEST_F(S3Server, SaysWhatIsNotThere) {
  std::string bytes(10, '\0');
  ASSERT_KIND(kNotFound, client_->Head(Key("none")));
  ASSERT_KIND(kNotFound, client_->ReadEnd(Key("none"), 10, &bytes));
  ASSERT_KIND(kNotFound, client_->Read(Key("none"), "e", 0, 10, bytes.data()));
  ASSERT_KIND(kNotFound, client_->Copy(Key("none"), "e", Key("b")));
  ASSERT_KIND(kNotFound, client_->UploadPart(Key("none"), "no-such-upload", 1, "a"));
  EXPECT_TRUE(client_->AbortUpload(Key("none"), "no-such-upload").ok());
  EXPECT_EQ(client_->Head(Key("none")).status().message().find(location_.prefix),
            std::string::npos);
}

TEST_F(S3Server, EndsAReadOfAReplacedObject) {
  const S3Object first = client_->Write(Key("a"), "first", {}).ValueOrDie();
  ASSERT_TRUE(client_->Write(Key("a"), "other", {}).ok());
  std::string bytes(5, '\0');
  ASSERT_KIND(kFailedPrecondition, client_->Read(Key("a"), first.etag, 0, 5, bytes.data()));
  ASSERT_KIND(kFailedPrecondition, client_->Copy(Key("a"), first.etag, Key("b")));
}

TEST_F(S3Server, ReadsTheEndOfSmallAndEmptyObjects) {
  ASSERT_TRUE(client_->Write(Key("small"), "small", {}).ok());
  ASSERT_TRUE(client_->Write(Key("empty"), "", {}).ok());
  std::string bytes;
  EXPECT_EQ(client_->ReadEnd(Key("small"), 3, &bytes)->size_bytes, 5);
  EXPECT_EQ(bytes, "all");
  EXPECT_EQ(client_->ReadEnd(Key("small"), 64 << 10, &bytes)->size_bytes, 5);
  EXPECT_EQ(bytes, "small");
  EXPECT_EQ(client_->ReadEnd(Key("empty"), 64 << 10, &bytes)->size_bytes, 0);
  EXPECT_EQ(bytes, "");
}

TEST_F(S3Server, RefusesRangesBeyondTheEnd) {
  const S3Object object = client_->Write(Key("a"), "0123456789", {}).ValueOrDie();
  std::string bytes(100, '\0');
  ASSERT_KIND(kInvalidArgument, client_->Read(Key("a"), object.etag, 5, 6, bytes.data()));
  ASSERT_KIND(kInvalidArgument, client_->Read(Key("a"), object.etag, 10, 1, bytes.data()));
}

TEST_F(S3Server, MakesAnObjectOfParts) {
  const std::vector<std::string> parts = {RandomBytes(kPartBytesMin, 1),
                                          RandomBytes(kPartBytesMin, 2), RandomBytes(77, 3)};
  std::vector<S3Part> sent;
  const std::string id = Upload(Key("a"), parts, &sent);
  ASSERT_EQ(client_->ListUploads(Key("a")).ValueOrDie().size(), 1);
  const S3Object object = client_->CompleteUpload(Key("a"), id, sent, IfAbsent()).ValueOrDie();
  EXPECT_EQ(object.etag, MultipartETag(sent));
  EXPECT_EQ(client_->Head(Key("a"))->etag, object.etag);
  EXPECT_EQ(client_->Head(Key("a"))->size_bytes, 2 * kPartBytesMin + 77);
  std::string bytes(2 * kPartBytesMin + 77, '\0');
  ASSERT_TRUE(client_->Read(Key("a"), object.etag, 0, bytes.size(), bytes.data()).ok());
  EXPECT_EQ(bytes, parts[0] + parts[1] + parts[2]);
  EXPECT_EQ(client_->ListUploads(Key("a")).ValueOrDie().size(), 0);
}

TEST_F(S3Server, CountsAnUploadThatIsCompletedTwiceAsDone) {
  std::vector<S3Part> sent;
  const std::string id = Upload(Key("a"), {"one part"}, &sent);
  const S3Object object = client_->CompleteUpload(Key("a"), id, sent, IfAbsent()).ValueOrDie();
  const auto again = client_->CompleteUpload(Key("a"), id, sent, {});
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(again->etag, object.etag);
}

TEST_F(S3Server, HoldsConditionsOfUploads) {
  std::vector<S3Part> sent;
  const S3Object first = client_->Write(Key("a"), "first", {}).ValueOrDie();
  const std::string id = Upload(Key("a"), {"second"}, &sent);
  ASSERT_KIND(kFailedPrecondition, client_->CompleteUpload(Key("a"), id, sent, IfAbsent()));
  ASSERT_KIND(kFailedPrecondition,
              client_->CompleteUpload(Key("a"), id, sent, IfMatch(Hexadecimal(Md5Of("x")))));
  EXPECT_EQ(client_->Head(Key("a"))->etag, first.etag);
  ASSERT_TRUE(client_->CompleteUpload(Key("a"), id, sent, IfMatch(first.etag)).ok());
  EXPECT_EQ(client_->Head(Key("a"))->etag, MultipartETag(sent));
}

TEST_F(S3Server, LetsOneOfManyWritersWin) {
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> winners = 0;
    std::atomic<int> losers = 0;
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 8; ++writer) {
      writers.emplace_back([&, writer] {
        const std::string bytes = std::format("of writer {}", writer);
        const auto written = client_->Write(Key(std::format("{}", round)), bytes, IfAbsent());
        if (written.ok()) ++winners;
        if (KindOf(written.status()) == ErrorKind::kFailedPrecondition) ++losers;
      });
    }
    writers.clear();
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(losers, 7);
  }
}

TEST_F(S3Server, CopiesWholeAndInParts) {
  const std::string bytes = RandomBytes(2 * kPartBytesMin + 5, 4);
  const S3Object source = client_->Write(Key("a"), bytes, {}).ValueOrDie();
  const S3Object whole = client_->Copy(Key("a"), source.etag, Key("whole")).ValueOrDie();
  EXPECT_EQ(whole.etag, source.etag);
  EXPECT_EQ(whole.size_bytes, source.size_bytes);

  BucketClientSettings settings;
  settings.copy_bytes_max = settings.copy_part_bytes = kPartBytesMin;
  const S3Object parts =
      MakeClient(settings)->Copy(Key("a"), source.etag, Key("parts")).ValueOrDie();
  EXPECT_TRUE(parts.etag.ends_with("-3")) << parts.etag;
  std::string copied;
  EXPECT_EQ(client_->ReadEnd(Key("parts"), 100 << 20, &copied)->etag, parts.etag);
  EXPECT_EQ(copied, bytes);
}

TEST_F(S3Server, FoldsPrefixesAndStartsAfterAKey) {
  for (const char* name : {"a", "b/1", "b/2", "c", "d e/1"}) {
    ASSERT_TRUE(client_->Write(Key(name), name, {}).ok());
  }
  const S3Listing listing =
      client_->List({.prefix = location_.prefix, .delimiter = "/"}).ValueOrDie();
  ASSERT_EQ(listing.objects.size(), 2);
  EXPECT_EQ(listing.objects[1].key, Key("c"));
  EXPECT_EQ(listing.objects[1].etag, Hexadecimal(Md5Of("c")));
  EXPECT_EQ(listing.prefixes, (std::vector<std::string>{Key("b/"), Key("d e/")}));
  EXPECT_EQ(listing.next_page, std::nullopt);

  const S3Listing later =
      client_->List({.prefix = location_.prefix, .start_after = Key("b/1"), .keys_max = 2})
          .ValueOrDie();
  ASSERT_EQ(later.objects.size(), 2);
  EXPECT_EQ(later.objects[0].key, Key("b/2"));
  EXPECT_NE(later.next_page, std::nullopt);
}

TEST_F(S3Server, TellsWhetherTheBucketKeepsVersions) {
  EXPECT_EQ(client_->BucketVersioning().ValueOrDie(), "");
}

TEST_F(S3Server, RefusesWrongCredentialsWithoutShowingThem) {
  const auto client = MakeBucketClient(
                          location_, {},
                          [](const std::string& name) -> std::string {
                            if (name == "AWS_ACCESS_KEY_ID") return "nobody";
                            return name == "AWS_SECRET_ACCESS_KEY" ? "not-the-secret" : "";
                          },
                          nullptr, nullptr)
                          .ValueOrDie();
  const arrow::Status status = client->List({}).status();
  ASSERT_KIND(kPermissionDenied, status);
  EXPECT_EQ(status.message().find("nobody"), std::string::npos);
}

TEST_F(S3Server, CountsItsRequests) {
  ASSERT_TRUE(client_->Write(Key("a"), "12345", {}).ok());
  ASSERT_FALSE(client_->Head(Key("none")).ok());
  const std::string text = metrics_.Text();
  EXPECT_NE(text.find(R"(hangar_s3_requests_total{operation="PutObject",status="2xx"} 1)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"(hangar_s3_requests_total{operation="HeadObject",status="4xx"} 1)"),
            std::string::npos);
  EXPECT_NE(text.find("hangar_s3_sent_bytes_total 5"), std::string::npos);
}

}  // namespace
}  // namespace hangar
