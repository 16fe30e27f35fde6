#include "s3/s3_client.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <format>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "metrics/metrics.h"
#include "s3/bucket_client.h"
#include "s3/md5.h"
#include "s3/scripted_server.h"

namespace hangar {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using Kind = S3Condition::Kind;
using Then = ScriptedAnswer::Then;

constexpr const char* kModified = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

arrow::Status StatusOf(const arrow::Status& status) { return status; }
template <typename T>
arrow::Status StatusOf(const arrow::Result<T>& result) {
  return result.status();
}

#define EXPECT_KIND(kind, expression)                                  \
  {                                                                    \
    const arrow::Status checked = StatusOf(expression);                \
    EXPECT_EQ(KindOf(checked), ErrorKind::kind) << checked.ToString(); \
  }

std::string ETagOf(const std::string& bytes) { return Hexadecimal(Md5Of(bytes)); }

ScriptedAnswer Success(const std::string& etag, const std::string& body = "") {
  return Answer(200, body, kModified + std::format("ETag: \"{}\"\r\n", etag));
}

// Of a HEAD, which says a length and has no body.
ScriptedAnswer HeadOf(const std::string& bytes, const std::string& write_id = "another") {
  return {.bytes = std::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}ETag: \"{}\"\r\n"
                               "x-amz-meta-hangar-write: {}\r\n\r\n",
                               bytes.size(), kModified, ETagOf(bytes), write_id)};
}

ScriptedAnswer ErrorAnswer(int status, const std::string& code, const std::string& headers = "") {
  return Answer(status, std::format("<Error><Code>{}</Code><Message/></Error>", code), headers);
}

ScriptedAnswer Lost() { return {.bytes = "", .then = Then::kReset}; }

std::string CompletedBody(const std::string& etag) {
  return std::format(
      "<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>",
      etag);
}

// A client of a server that answers its n-th request as `script` says.
class S3ClientTest : public testing::Test {
 protected:
  using Script = std::function<ScriptedAnswer(int number, const ScriptedRequest& request)>;

  void Start(Script script) {
    server_ = std::make_unique<ScriptedServer>([this, script](const ScriptedRequest& request) {
      const auto id = request.headers.find("x-amz-meta-hangar-write");
      if (id != request.headers.end()) write_id_ = id->second;
      return script(++number_, request);
    });
    S3Location location{.bucket = "bucket", .prefix = "pre/", .endpoint = server_->url()};
    location.region = "us-east-1";
    settings_.retry.attempts_max = 4;
    settings_.retry.sleep = [this](milliseconds time) { slept_.push_back(time); };
    settings_.retry.random = [] { return 0.5; };
    client_ = MakeBucketClient(
                  location, settings_, [this](const std::string& name) { return variables_[name]; },
                  nullptr, &metrics_)
                  .ValueOrDie();
  }

  // Of what the client wrote last.
  ScriptedAnswer OwnHeadOf(const std::string& bytes) { return HeadOf(bytes, write_id_); }

  int requests() { return static_cast<int>(server_->requests().size()); }

  std::map<std::string, std::string> variables_ = {{"AWS_ACCESS_KEY_ID", "the-id"},
                                                   {"AWS_SECRET_ACCESS_KEY", "the-secret"}};
  BucketClientSettings settings_;
  std::vector<milliseconds> slept_;
  Metrics metrics_;
  std::atomic<int> number_ = 0;
  std::string write_id_;
  std::atomic<Timestamp> now_ = Timestamp(std::chrono::days(20'000));
  std::unique_ptr<ScriptedServer> server_;
  std::shared_ptr<S3Client> client_;
};

TEST_F(S3ClientTest, SignsWhatItSends) {
  variables_["AWS_SESSION_TOKEN"] = "the-token";
  Start([](int, const ScriptedRequest&) { return Success(ETagOf("bytes")); });
  ASSERT_TRUE(client_->Write("pre/a b", "bytes", {.kind = Kind::kAbsent}).ok());
  auto request = server_->requests().at(0);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/bucket/pre/a%20b");
  EXPECT_EQ(request.body, "bytes");
  EXPECT_EQ(request.headers["if-none-match"], "*");
  EXPECT_EQ(request.headers["content-type"], "application/octet-stream");
  EXPECT_EQ(request.headers["content-md5"], Base64(Md5Of("bytes")));
  EXPECT_EQ(request.headers["x-amz-security-token"], "the-token");
  EXPECT_THAT(request.headers["authorization"],
              testing::AllOf(HasSubstr("Credential=the-id/"), HasSubstr("/us-east-1/s3/"),
                             HasSubstr("content-md5"), HasSubstr("if-none-match"),
                             HasSubstr("x-amz-security-token"), Not(HasSubstr("the-secret"))));
}

TEST_F(S3ClientTest, PutsTheBucketInFrontOfTheHostWhereAddressingIsVirtual) {
  Start([](int, const ScriptedRequest&) { return HeadOf("a"); });
  // Names below localhost are this machine's (RFC 6761, section 6.3).
  const std::string port = server_->url().substr(server_->url().rfind(':'));
  const S3Location location{.bucket = "bucket",
                            .endpoint = "http://localhost" + port,
                            .region = "us-east-1",
                            .path_style = false};
  const auto client =
      MakeBucketClient(
          location, settings_, [this](const std::string& name) { return variables_[name]; },
          nullptr, nullptr)
          .ValueOrDie();
  ASSERT_TRUE(client->Head("a").ok());
  EXPECT_EQ(server_->requests()[0].headers["host"], "bucket.localhost" + port);
  EXPECT_EQ(server_->requests()[0].target, "/a");
}

TEST_F(S3ClientTest, KeepsItsConnection) {
  Start([](int, const ScriptedRequest&) { return HeadOf("a"); });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client_->Head("pre/a").ok());
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(S3ClientTest, RepeatsReadsAfterEveryPassingFailure) {
  const std::vector<ScriptedAnswer> failures = {
      Answer(500),
      Answer(502),
      Answer(503),
      Answer(504),
      Answer(429),
      Lost(),
      ErrorAnswer(503, "SlowDown"),
      ErrorAnswer(409, "ConcurrentModification"),
      {.bytes = "HTTP/1.1 206 X\r\nContent-Length: 5\r\n\r\nby", .then = Then::kClose},
      {.bytes = "HTTP/1.1 206 X\r\nContent-Length: 5\r\n\r\nby", .then = Then::kReset},
      {.bytes = "nothing like HTTP\r\n\r\n", .then = Then::kClose}};
  for (const ScriptedAnswer& failure : failures) {
    SCOPED_TRACE(failure.bytes);
    number_ = 0;
    Start([&](int number, const ScriptedRequest&) {
      if (number < 3) return failure;
      return Answer(206, "bytes", "ETag: \"e\"\r\nContent-Range: bytes 3-7/10\r\n");
    });
    std::string bytes(5, '\0');
    const arrow::Status status = client_->Read("pre/a", "e", 3, 5, bytes.data());
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(bytes, "bytes");
    EXPECT_EQ(requests(), 3);
    EXPECT_EQ(server_->requests()[2].headers["range"], "bytes=3-7");
    EXPECT_EQ(server_->requests()[2].headers["if-match"], "\"e\"");
  }
}

TEST_F(S3ClientTest, GivesUpAfterAllAttempts) {
  Start([](int, const ScriptedRequest&) { return ErrorAnswer(503, "SlowDown"); });
  EXPECT_KIND(kUnavailable, client_->Head("pre/a"));
  EXPECT_EQ(requests(), 4);
  EXPECT_THAT(slept_, testing::ElementsAre(milliseconds(25), milliseconds(50), milliseconds(100)));
  EXPECT_THAT(metrics_.Text(), HasSubstr("hangar_s3_retries_total{operation=\"HeadObject\"} 3"));
}

TEST_F(S3ClientTest, WaitsAsLongAsTheStoreAsks) {
  Start([](int number, const ScriptedRequest&) {
    return number == 1 ? ErrorAnswer(503, "SlowDown", "Retry-After: 7\r\n") : HeadOf("a");
  });
  ASSERT_TRUE(client_->Head("pre/a").ok());
  EXPECT_THAT(slept_, testing::ElementsAre(milliseconds(7000)));
}

TEST_F(S3ClientTest, DoesNotRepeatWhatStaysWrong) {
  for (const int status : {301, 400, 403, 404, 412, 507}) {
    Start([&](int, const ScriptedRequest&) { return Answer(status); });
    EXPECT_FALSE(client_->Head("pre/a").ok());
    EXPECT_EQ(requests(), 1) << status;
  }
}

TEST_F(S3ClientTest, TellsErrorsApart) {
  const std::vector<std::tuple<int, std::string, ErrorKind>> cases = {
      {404, "NoSuchKey", ErrorKind::kNotFound},
      {404, "NoSuchBucket", ErrorKind::kFailedPrecondition},
      {412, "PreconditionFailed", ErrorKind::kFailedPrecondition},
      {403, "AccessDenied", ErrorKind::kPermissionDenied},
      {403, "SignatureDoesNotMatch", ErrorKind::kPermissionDenied},
      {403, "QuotaExceeded", ErrorKind::kResourceExhausted},
      {507, "", ErrorKind::kStorageFull},
      {501, "NotImplemented", ErrorKind::kUnimplemented},
      {400, "InvalidArgument", ErrorKind::kInvalidArgument},
      {301, "PermanentRedirect", ErrorKind::kInvalidArgument},
      {503, "SlowDown", ErrorKind::kUnavailable}};
  for (const auto& [status, code, kind] : cases) {
    Start([&](int, const ScriptedRequest&) { return ErrorAnswer(status, code); });
    const arrow::Status listed = client_->List({}).status();
    EXPECT_EQ(KindOf(listed), kind) << code << ": " << listed.ToString();
  }
}

TEST_F(S3ClientTest, NamesKeysWithoutThePrefix) {
  Start([](int, const ScriptedRequest&) { return Answer(404); });
  EXPECT_THAT(client_->Head("pre/a/b").status().message(),
              testing::AllOf(HasSubstr("'a/b'"), Not(HasSubstr("pre")), Not(HasSubstr("127."))));
}

TEST_F(S3ClientTest, RefusesAnAnswerOfAnotherRangeOrObject) {
  Start([](int, const ScriptedRequest&) {
    return Answer(206, "bytes", "ETag: \"e\"\r\nContent-Range: bytes 0-4/10\r\n");
  });
  std::string bytes(5, '\0');
  EXPECT_KIND(kInvalidArgument, client_->Read("pre/a", "e", 3, 5, bytes.data()));
  EXPECT_KIND(kFailedPrecondition, client_->Read("pre/a", "f", 0, 5, bytes.data()));
}

TEST_F(S3ClientTest, NeverWritesBeyondWhatIsRead) {
  Start([](int, const ScriptedRequest&) {
    return Answer(200, std::string(100, 'x'), "ETag: \"e\"\r\n");
  });
  std::string bytes(10, '\0');
  EXPECT_FALSE(client_->Read("pre/a", "e", 0, 5, bytes.data()).ok());
  EXPECT_EQ(bytes.substr(5), std::string(5, '\0'));
}

TEST_F(S3ClientTest, CountsAWriteWhoseAnswerWasLostAsDoneWhereItStands) {
  for (const ScriptedAnswer& lost : {Lost(), Answer(500), Answer(504)}) {
    number_ = 0;
    Start([&](int number, const ScriptedRequest&) {
      return number == 1 ? lost : OwnHeadOf("bytes");
    });
    const auto written = client_->Write("pre/a", "bytes", {.kind = Kind::kAbsent});
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    EXPECT_EQ(written->etag, ETagOf("bytes"));
    EXPECT_EQ(requests(), 2);
  }
}

TEST_F(S3ClientTest, RepeatsALostWriteThatDidNotHappen) {
  Start([](int number, const ScriptedRequest&) {
    if (number == 1) return Lost();
    return number == 2 ? Answer(404) : Success(ETagOf("bytes"));
  });
  ASSERT_TRUE(client_->Write("pre/a", "bytes", {.kind = Kind::kAbsent}).ok());
  EXPECT_EQ(requests(), 3);
}

TEST_F(S3ClientTest, ReportsAConflictWhereALostWriteMetAnother) {
  Start([](int number, const ScriptedRequest&) { return number == 1 ? Lost() : HeadOf("other"); });
  EXPECT_KIND(kFailedPrecondition, client_->Write("pre/a", "bytes", {.kind = Kind::kAbsent}));
  EXPECT_EQ(requests(), 2);
}

TEST_F(S3ClientTest, DoesNotTakeAnothersWriteOfTheSameBytesForItsOwn) {
  Start([](int number, const ScriptedRequest&) {
    return number == 1 ? Answer(409) : HeadOf("bytes");
  });
  EXPECT_KIND(kFailedPrecondition, client_->Write("pre/a", "bytes", {.kind = Kind::kAbsent}));
}

TEST_F(S3ClientTest, DoesNotTakeItsOwnLostWriteForAConflict) {
  // The first one is carried out only after the look, so that the second one finds it there.
  std::string first;
  Start([&](int number, const ScriptedRequest&) {
    if (number == 1) first = write_id_;
    if (number == 1) return Lost();
    if (number == 2) return Answer(404);
    EXPECT_EQ(write_id_, first) << "it is the same write";
    return number == 3 ? Answer(412) : OwnHeadOf("bytes");
  });
  const auto written = client_->Write("pre/a", "bytes", {.kind = Kind::kAbsent});
  EXPECT_TRUE(written.ok()) << written.status().ToString();
}

TEST_F(S3ClientTest, LooksBeforeItRepeatsAWriteOnAConnectionThatWasClosed) {
  // libcurl would send it again by itself, on a new connection.
  Start([this](int number, const ScriptedRequest& request) {
    if (number == 1) return HeadOf("first");
    if (number == 2) return ScriptedAnswer{.bytes = "", .then = Then::kClose};
    return request.method == "HEAD" ? OwnHeadOf("bytes") : Answer(412);
  });
  ASSERT_TRUE(client_->Head("pre/a").ok());
  const auto written =
      client_->Write("pre/a", "bytes", {.kind = Kind::kETag, .etag = ETagOf("first")});
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_EQ(server_->requests()[2].method, "HEAD");
}

TEST_F(S3ClientTest, TakesAnErrorInAnAnswerOf200ForOne) {
  Start([](int number, const ScriptedRequest& request) {
    if (number == 1) return ErrorAnswer(200, "InternalError");
    if (request.method == "HEAD") return Answer(404);
    return Answer(200, CompletedBody("etag-1"));
  });
  const auto object =
      client_->CompleteUpload("pre/a", "id", {{1, ETagOf("p")}}, {.kind = Kind::kAbsent});
  ASSERT_TRUE(object.ok()) << object.status().ToString();
  EXPECT_EQ(object->etag, "etag-1");
  EXPECT_EQ(requests(), 3);
}

TEST_F(S3ClientTest, CountsAnUploadWhoseAnswerWasLostAsDoneWhereItStands) {
  const std::vector<S3Part> parts = {{1, ETagOf("p")}, {2, ETagOf("q")}};
  for (const ScriptedAnswer& lost : {Lost(), Answer(200), ErrorAnswer(404, "NoSuchUpload")}) {
    number_ = 0;
    Start([&](int number, const ScriptedRequest&) {
      return number == 1 ? lost : Success(*MultipartETag(parts));
    });
    const auto object = client_->CompleteUpload("pre/a", "id", parts, {.kind = Kind::kAbsent});
    ASSERT_TRUE(object.ok()) << object.status().ToString();
    EXPECT_EQ(object->etag, *MultipartETag(parts));
  }
}

TEST_F(S3ClientTest, SaysThatAnUploadIsGone) {
  Start([](int, const ScriptedRequest& request) {
    return request.method == "HEAD" ? Answer(404) : ErrorAnswer(404, "NoSuchUpload");
  });
  EXPECT_KIND(kNotFound, client_->CompleteUpload("pre/a", "id", {{1, ETagOf("p")}}, {}));
}

TEST_F(S3ClientTest, SaysWhereItIsNotKnownWhatBecameOfAWrite) {
  Start([](int, const ScriptedRequest& request) {
    return request.method == "HEAD" ? Answer(503) : Lost();
  });
  const arrow::Status status = client_->Write("pre/a", "bytes", {.kind = Kind::kAbsent}).status();
  EXPECT_KIND(kUnavailable, status);
  EXPECT_THAT(status.message(), HasSubstr("not known"));
}

TEST_F(S3ClientTest, RefusesETagsThatWouldAddAHeader) {
  Start([](int, const ScriptedRequest&) { return Success("e"); });
  EXPECT_KIND(kInvalidArgument,
              client_->Write("pre/a", "a", {.kind = Kind::kETag, .etag = "e\"\r\nX: y"}));
  EXPECT_EQ(requests(), 0);
}

TEST_F(S3ClientTest, RepeatsARequestThatIsNeverAnswered) {
  settings_.stall_timeout = std::chrono::seconds(1);
  Start([](int number, const ScriptedRequest&) {
    return number == 1 ? ScriptedAnswer{} : HeadOf("a");
  });
  EXPECT_TRUE(client_->Head("pre/a").ok());
  EXPECT_EQ(requests(), 2);
}

TEST_F(S3ClientTest, ReportsAServerThatIsNotThere) {
  Start([](int, const ScriptedRequest&) { return Answer(200); });
  server_.reset();
  EXPECT_KIND(kUnavailable, client_->Head("pre/a"));
  EXPECT_EQ(slept_.size(), 3);
}

TEST_F(S3ClientTest, AsksForOtherCredentialsWhenTheStoreRefusesThem) {
  std::string pattern = testing::TempDir() + "/credentialsXXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  const auto write_keys = [&](const std::string& id) {
    std::ofstream(folder + "/file")
        << "[default]\naws_access_key_id = " << id << "\naws_secret_access_key = s\n";
  };
  variables_ = {{"AWS_SHARED_CREDENTIALS_FILE", folder + "/file"},
                {"AWS_CONFIG_FILE", folder + "/none"}};
  write_keys("old");
  settings_.now = [this] { return now_.load(); };
  Start([](int, const ScriptedRequest& request) {
    const bool is_new = request.headers.at("authorization").contains("Credential=new/");
    return is_new ? Success("e") : ErrorAnswer(403, "InvalidAccessKeyId");
  });
  EXPECT_KIND(kPermissionDenied, client_->Write("pre/a", "a", {}));
  write_keys("new");
  now_ = now_.load() + std::chrono::minutes(1);
  EXPECT_TRUE(client_->Write("pre/a", "a", {}).ok());
  std::filesystem::remove_all(folder);
}

TEST_F(S3ClientTest, CountsADeletionWhoseAnswerWasLostAsDoneWhereNothingStands) {
  Start([](int number, const ScriptedRequest&) {
    if (number == 1) return HeadOf("a");
    return number == 2 ? Lost() : Answer(404);
  });
  EXPECT_TRUE(client_->Delete("pre/a", {.kind = Kind::kETag, .etag = ETagOf("a")}).ok());
  EXPECT_EQ(requests(), 3);
}

TEST_F(S3ClientTest, AbortsACopyInPartsThatFails) {
  settings_.copy_bytes_max = settings_.copy_part_bytes = 10;
  Start([](int, const ScriptedRequest& request) {
    if (request.method == "HEAD") return HeadOf(std::string(25, 'x'));
    if (request.method == "POST") {
      return Answer(200,
                    "<InitiateMultipartUploadResult><UploadId>the-upload</UploadId>"
                    "</InitiateMultipartUploadResult>");
    }
    return request.method == "DELETE" ? Answer(204) : Answer(412);
  });
  EXPECT_KIND(kFailedPrecondition, client_->Copy("pre/a", ETagOf(std::string(25, 'x')), "pre/b"));
  EXPECT_EQ(server_->requests().back().method, "DELETE");
  EXPECT_EQ(server_->requests().back().target, "/bucket/pre/b?uploadId=the-upload");
}

TEST_F(S3ClientTest, CopiesNothingInPartsOfASourceThatChangedMeanwhile) {
  // Some stores do not hold the copy of a part to the source's ETag.
  settings_.copy_bytes_max = settings_.copy_part_bytes = 10;
  const std::string old(25, 'x');
  Start([&](int number, const ScriptedRequest& request) {
    if (request.method == "HEAD") return HeadOf(number == 1 ? old : std::string(25, 'y'));
    if (request.method == "POST") {
      return Answer(200,
                    "<InitiateMultipartUploadResult><UploadId>the-upload</UploadId>"
                    "</InitiateMultipartUploadResult>");
    }
    if (request.method == "DELETE") return Answer(204);
    return Answer(200, std::format("<CopyPartResult><ETag>\"{}\"</ETag><LastModified>"
                                   "2026-01-01T00:00:00Z</LastModified></CopyPartResult>",
                                   ETagOf("part")));
  });
  EXPECT_KIND(kFailedPrecondition, client_->Copy("pre/a", ETagOf(old), "pre/b"));
  EXPECT_EQ(server_->requests().back().method, "DELETE");
}

TEST_F(S3ClientTest, RepeatsACopyWhoseAnswerOf200IsAnError) {
  Start([](int number, const ScriptedRequest& request) {
    if (request.method == "HEAD") return HeadOf("bytes");
    if (number == 2) return ErrorAnswer(200, "InternalError");
    return Answer(200, std::format("<CopyObjectResult><ETag>\"{}\"</ETag><LastModified>"
                                   "2026-01-01T00:00:00Z</LastModified></CopyObjectResult>",
                                   ETagOf("bytes")));
  });
  ASSERT_TRUE(client_->Copy("pre/a", ETagOf("bytes"), "pre/b").ok());
  EXPECT_EQ(requests(), 3);
}

TEST_F(S3ClientTest, EndsAStormOfSlowDownsInAnErrorThatSaysSo) {
  Start([](int, const ScriptedRequest& request) {
    return request.method == "HEAD" ? Answer(404)
                                    : ErrorAnswer(503, "SlowDown", "Retry-After: 20\r\n");
  });
  const auto written = client_->Write("pre/a", "bytes", {.kind = Kind::kAbsent});
  EXPECT_KIND(kUnavailable, written);
  EXPECT_THAT(written.status().message(), HasSubstr("try again"));
  EXPECT_EQ(requests(), 4) << "what is refused has not happened, so there is nothing to look for";
  EXPECT_THAT(slept_, testing::Each(milliseconds(20'000)));
  EXPECT_KIND(kUnavailable, client_->CompleteUpload("pre/a", "id", {{1, ETagOf("p")}}, {}));
}

TEST_F(S3ClientTest, StopsRepeatingOnceTheBudgetIsUsedUp) {
  settings_.retry.budget_tokens = 10;
  Start([](int, const ScriptedRequest&) { return Answer(503); });
  EXPECT_KIND(kUnavailable, client_->Head("pre/a"));
  EXPECT_EQ(requests(), 3);
  EXPECT_KIND(kUnavailable, client_->Head("pre/a"));
  EXPECT_EQ(requests(), 4);
}

TEST_F(S3ClientTest, FollowsNoRedirect) {
  Start([this](int, const ScriptedRequest&) {
    return Answer(307, "", "Location: " + server_->url() + "/elsewhere\r\n");
  });
  EXPECT_KIND(kInvalidArgument, client_->Head("pre/a"));
  EXPECT_EQ(requests(), 1);
}

}  // namespace
}  // namespace hangar
