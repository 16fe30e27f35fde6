#include "s3/s3_client.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <format>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "s3/bucket_client.h"
#include "s3/credential_chain.h"
#include "s3/md5.h"
#include "s3/s3_requests.h"
#include "s3/s3_xml.h"
#include "s3/write_outcome.h"

namespace hangar {
namespace {

using Kind = S3Condition::Kind;

constexpr size_t kDocumentBytesMax = 32 << 20;

std::string InQuotes(const std::string& etag) { return "\"" + etag + "\""; }

std::vector<std::string> ConditionHeaders(const S3Condition& condition) {
  if (condition.kind == Kind::kAbsent) return {"If-None-Match: *"};
  if (condition.kind == Kind::kETag) return {"If-Match: " + InQuotes(condition.etag)};
  return {};
}

std::string RangeText(int64_t offset, int64_t length) {
  return std::format("bytes={}-{}", offset, offset + length - 1);
}

// The number behind `text`'s last `before`, -1 where there is none.
int64_t NumberBehind(const std::string& text, char before) {
  const size_t position = text.rfind(before);
  const char* const begin = text.data() + (position == std::string::npos ? 0 : position + 1);
  const char* const end = text.data() + text.size();
  int64_t number = 0;
  const auto [last, error] = std::from_chars(begin, end, number);
  return begin != end && error == std::errc() && last == end ? number : -1;
}

// Comes back from HEAD, so that a write can be told from another one of the same bytes.
constexpr char kWriteIdHeader[] = "x-amz-meta-hangar-write";
constexpr size_t kWriteIdDigits = 32;
// What BeginUpload gives is the write's id, this, and the upload's id.
constexpr char kWriteIdEnd = ':';

std::string NewWriteId() {
  std::random_device random;
  std::string id;
  while (id.size() < kWriteIdDigits) id += std::format("{:08x}", random());
  return id;
}

// Empty for an upload of somebody else's, as listings show it.
std::string WriteIdOf(const std::string& upload_id) {
  const bool is_ours = upload_id.size() > kWriteIdDigits &&
                       upload_id[kWriteIdDigits] == kWriteIdEnd &&
                       upload_id.find_first_not_of("0123456789abcdef") == kWriteIdDigits;
  return is_ours ? upload_id.substr(0, kWriteIdDigits) : std::string();
}

std::string StoresUploadId(const std::string& upload_id) {
  return WriteIdOf(upload_id).empty() ? upload_id : upload_id.substr(kWriteIdDigits + 1);
}

class BucketClient : public S3Client {
 public:
  BucketClient(const S3Location& location, const BucketClientSettings& settings,
               std::unique_ptr<CredentialKeeper> credentials, std::shared_ptr<Logger> logger,
               Metrics* metrics)
      : location_(location),
        settings_(settings),
        requests_(location,
                  {.ca_file = location.ca_file,
                   .use_proxy = !IsLoopbackUrl(location.endpoint),
                   .connect_timeout = settings.connect_timeout,
                   .stall_timeout = settings.stall_timeout},
                  settings.retry, std::move(credentials), std::move(logger), metrics) {}

  arrow::Result<S3Object> Head(const std::string& key) override;
  arrow::Status Read(const std::string& key, const std::string& etag, int64_t offset,
                     int64_t length, void* out) override;
  arrow::Result<S3Object> ReadEnd(const std::string& key, int64_t length,
                                  std::string* out) override;
  arrow::Result<S3Object> Write(const std::string& key, std::string_view bytes,
                                const S3Condition& condition) override;
  arrow::Result<std::string> BeginUpload(const std::string& key) override;
  arrow::Result<S3Part> UploadPart(const std::string& key, const std::string& upload_id, int number,
                                   std::string_view bytes) override;
  arrow::Result<S3Part> UploadPartCopy(const std::string& key, const std::string& upload_id,
                                       int number, const std::string& source,
                                       const std::string& source_etag, int64_t offset,
                                       int64_t length) override;
  arrow::Result<S3Object> CompleteUpload(const std::string& key, const std::string& upload_id,
                                         const std::vector<S3Part>& parts,
                                         const S3Condition& condition) override;
  arrow::Status AbortUpload(const std::string& key, const std::string& upload_id) override;
  arrow::Result<std::vector<S3Upload>> ListUploads(const std::string& prefix) override;
  arrow::Result<S3Object> Copy(const std::string& source, const std::string& source_etag,
                               const std::string& target) override;
  arrow::Status Delete(const std::string& key, const S3Condition& condition) override;
  arrow::Result<S3Listing> List(const S3ListRequest& request) override;
  arrow::Result<std::string> BucketVersioning() override;

 private:
  // What a write that may not be sent twice looks like from outside.
  struct SingleWrite {
    S3Call call;
    WrittenObject written;
    S3Condition condition;
  };

  std::string Shown(const std::string& key) const;
  arrow::Result<S3HttpResponse> Send(const S3Call& call);
  arrow::Result<std::optional<S3Object>> Look(const std::string& key);
  arrow::Result<S3Object> ObjectOf(const std::string& key, const S3HttpResponse& response,
                                   int64_t size_bytes) const;
  arrow::Status Unknown(const std::string& key) const;
  arrow::Result<S3Object> WrittenOf(const SingleWrite& write, const S3HttpResponse& response) const;
  arrow::Status Refusal(const SingleWrite& write, const S3Problem& problem) const;
  arrow::Result<S3Object> SendWrite(const SingleWrite& write);
  arrow::Status SendDelete(const S3Call& call, const std::string& etag);
  arrow::Result<S3Object> CopyWhole(const S3Object& source, const std::string& target);
  arrow::Result<S3Object> CopyInParts(const S3Object& source, const std::string& target);
  std::string SourceHeader(const std::string& source) const;

  const S3Location location_;
  const BucketClientSettings settings_;
  S3Requests requests_;
};

std::string BucketClient::Shown(const std::string& key) const {
  std::string_view shown = key;
  if (shown.starts_with(location_.prefix)) shown.remove_prefix(location_.prefix.size());
  return Quoted(shown);
}

arrow::Result<S3HttpResponse> BucketClient::Send(const S3Call& call) {
  int attempt = 0;
  ARROW_ASSIGN_OR_RAISE(S3Answer answer, requests_.Send(call, &attempt));
  if (answer.problem) {
    return ToStatus(*answer.problem, call.key ? Shown(*call.key) : "the bucket");
  }
  return std::move(answer.response);
}

arrow::Result<S3Object> BucketClient::ObjectOf(const std::string& key,
                                               const S3HttpResponse& response,
                                               int64_t size_bytes) const {
  S3Object object{
      .key = key, .etag = UnquotedETag(response.Header("etag")), .size_bytes = size_bytes};
  const auto modified = ParseHttpDate(response.Header("last-modified"));
  if (object.etag.empty() || size_bytes < 0 || !modified) {
    return Error(ErrorKind::kUnavailable,
                 "{}: the object store's answer lacks its size, time or ETag", Shown(key));
  }
  object.modified = *modified;
  object.write_id = response.Header(kWriteIdHeader);
  return object;
}

arrow::Result<S3Object> BucketClient::Head(const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response,
                        Send({.operation = "HeadObject", .method = "HEAD", .key = key}));
  return ObjectOf(key, response, NumberBehind(response.Header("content-length"), ' '));
}

arrow::Result<std::optional<S3Object>> BucketClient::Look(const std::string& key) {
  auto found = Head(key);
  if (!found.ok() && KindOf(found.status()) == ErrorKind::kNotFound) return std::nullopt;
  ARROW_RETURN_NOT_OK(found.status());
  return *std::move(found);
}

arrow::Status BucketClient::Read(const std::string& key, const std::string& etag, int64_t offset,
                                 int64_t length, void* out) {
  if (offset < 0 || length < 0) {
    return Error(ErrorKind::kInvalidArgument, "{} has no such range", Shown(key));
  }
  if (length == 0) return arrow::Status::OK();
  S3Call call{.operation = "GetObject", .method = "GET", .key = key};
  call.headers = {"Range: " + RangeText(offset, length), "If-Match: " + InQuotes(etag)};
  call.sink = static_cast<char*>(out);
  call.sink_bytes = static_cast<size_t>(length);
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response, Send(call));
  if (UnquotedETag(response.Header("etag")) != etag) {
    return Error(ErrorKind::kFailedPrecondition, "{} was changed in the object store meanwhile",
                 Shown(key));
  }
  const bool is_whole = response.status == 200 && offset == 0;
  const bool is_range =
      response.Header("content-range").starts_with(std::format("bytes {}-", offset));
  if ((!is_whole && !is_range) || response.sink_bytes != call.sink_bytes) {
    return Error(ErrorKind::kInvalidArgument, "{} has no such range", Shown(key));
  }
  return arrow::Status::OK();
}

arrow::Result<S3Object> BucketClient::ReadEnd(const std::string& key, int64_t length,
                                              std::string* out) {
  if (length <= 0) return Error(ErrorKind::kInvalidArgument, "the end of an object has some bytes");
  out->resize(static_cast<size_t>(length));
  S3Call call{.operation = "GetObject", .method = "GET", .key = key};
  call.headers = {std::format("Range: bytes=-{}", length)};
  call.sink = out->data();
  call.sink_bytes = out->size();
  int attempt = 0;
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(call, &attempt));
  if (answer.problem && answer.problem->status == 416) {  // An empty object has no range at all.
    out->clear();
    ARROW_ASSIGN_OR_RAISE(S3Object object, Head(key));
    if (object.size_bytes == 0) return object;
  }
  if (answer.problem) return ToStatus(*answer.problem, Shown(key));
  const S3HttpResponse& response = answer.response;
  out->resize(response.sink_bytes);
  const auto received = static_cast<int64_t>(response.sink_bytes);
  const int64_t size =
      response.status == 206 ? NumberBehind(response.Header("content-range"), '/') : received;
  ARROW_ASSIGN_OR_RAISE(S3Object object, ObjectOf(key, response, size));
  if (received != std::min(length, size)) {
    return Error(ErrorKind::kUnavailable, "{}: the object store's answer has the wrong length",
                 Shown(key));
  }
  return object;
}

arrow::Status BucketClient::Unknown(const std::string& key) const {
  return Error(ErrorKind::kUnavailable,
               "{}: the object store does not answer; it is not known whether it did what it was "
               "asked for",
               Shown(key));
}

arrow::Result<S3Object> BucketClient::WrittenOf(const SingleWrite& write,
                                                const S3HttpResponse& response) const {
  S3Object object{.key = *write.call.key,
                  .etag = UnquotedETag(response.Header("etag")),
                  .size_bytes = write.written.size_bytes.value_or(-1),
                  .modified = ParseHttpDate(response.Header("date")).value_or(Now()),
                  .write_id = write.written.write_id};
  if (write.call.may_hide_error) {
    ARROW_ASSIGN_OR_RAISE(object.etag, ParseCompletedUpload(response.body));
  }
  return object;
}

// Of an answer that leaves nothing open.
arrow::Status BucketClient::Refusal(const SingleWrite& write, const S3Problem& problem) const {
  // Some stores say "not found" where there is nothing to match.
  const bool is_unmatched = problem.status == 404 && write.condition.kind == Kind::kETag &&
                            problem.code != "NoSuchBucket" && problem.code != "NoSuchUpload";
  return ToStatus(is_unmatched ? S3Problem{.status = 412} : problem, Shown(*write.call.key));
}

// Sends a write until it is known what became of it. After an answer that leaves that open, what
// stands at the key tells.
arrow::Result<S3Object> BucketClient::SendWrite(const SingleWrite& write) {
  const std::string& key = *write.call.key;
  bool is_open = false;
  for (int attempt = 0;;) {
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(write.call, &attempt));
    if (!answer.problem) return WrittenOf(write, answer.response);
    const S3Problem& problem = *answer.problem;
    const bool is_gone = problem.code == "NoSuchUpload";
    is_open = is_open || MayHaveHappened(problem);
    if (!is_open && !is_gone) return Refusal(write, problem);
    const auto found = Look(key);
    if (!found.ok()) return is_open ? Unknown(key) : Refusal(write, problem);
    const WriteOutcome outcome = OutcomeOfWrite(write.written, write.condition, *found);
    if (outcome == WriteOutcome::kDone) return **found;
    if (is_gone) return is_open ? Unknown(key) : Refusal(write, problem);
    if (outcome == WriteOutcome::kConflict) return ToStatus({.status = 412}, Shown(key));
    const bool may_go_on = IsTransient(problem) || IsConflict(problem);
    if (!may_go_on) return Refusal(write, problem);
    if (!requests_.WaitForNext(write.call, answer, attempt)) return Unknown(key);
  }
}

arrow::Result<S3Object> BucketClient::Write(const std::string& key, std::string_view bytes,
                                            const S3Condition& condition) {
  const Md5 digest = Md5Of(bytes);
  SingleWrite write{.call = {.operation = "PutObject", .method = "PUT", .key = key},
                    .written = {.etag = Hexadecimal(digest),
                                .size_bytes = static_cast<int64_t>(bytes.size()),
                                .write_id = NewWriteId()},
                    .condition = condition};
  write.call.headers = ConditionHeaders(condition);
  write.call.headers.push_back(std::format("{}: {}", kWriteIdHeader, write.written.write_id));
  write.call.headers.push_back("Content-MD5: " + Base64(digest));
  write.call.body = bytes;
  write.call.is_repeatable = false;
  return SendWrite(write);
}

arrow::Result<std::string> BucketClient::BeginUpload(const std::string& key) {
  const std::string write_id = NewWriteId();
  S3Call call{.operation = "CreateMultipartUpload", .method = "POST", .key = key};
  call.query = {{"uploads", ""}};
  call.headers = {std::format("{}: {}", kWriteIdHeader, write_id)};
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response, Send(call));
  ARROW_ASSIGN_OR_RAISE(const std::string upload_id, ParseBegunUpload(response.body));
  return write_id + kWriteIdEnd + upload_id;
}

arrow::Result<S3Part> BucketClient::UploadPart(const std::string& key, const std::string& upload_id,
                                               int number, std::string_view bytes) {
  S3Call call{.operation = "UploadPart", .method = "PUT", .key = key};
  call.query = {{"partNumber", std::to_string(number)}, {"uploadId", StoresUploadId(upload_id)}};
  call.headers = {"Content-MD5: " + Base64(Md5Of(bytes))};
  call.body = bytes;
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response, Send(call));
  S3Part part{.number = number, .etag = UnquotedETag(response.Header("etag"))};
  if (part.etag.empty()) {
    return Error(ErrorKind::kUnavailable, "{}: the object store's answer lacks a part's ETag",
                 Shown(key));
  }
  return part;
}

std::string BucketClient::SourceHeader(const std::string& source) const {
  return "x-amz-copy-source: /" + location_.bucket + "/" + EncodedPath(source);
}

arrow::Result<S3Part> BucketClient::UploadPartCopy(const std::string& key,
                                                   const std::string& upload_id, int number,
                                                   const std::string& source,
                                                   const std::string& source_etag, int64_t offset,
                                                   int64_t length) {
  S3Call call{.operation = "UploadPartCopy", .method = "PUT", .key = key};
  call.query = {{"partNumber", std::to_string(number)}, {"uploadId", StoresUploadId(upload_id)}};
  call.headers = {SourceHeader(source), "x-amz-copy-source-if-match: " + InQuotes(source_etag),
                  "x-amz-copy-source-range: " + RangeText(offset, length)};
  call.stall_timeout = settings_.long_stall_timeout;
  call.may_hide_error = true;
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response, Send(call));
  ARROW_ASSIGN_OR_RAISE(S3CopyDocument copy, ParseCopy(response.body));
  return S3Part{.number = number, .etag = std::move(copy.etag)};
}

arrow::Result<S3Object> BucketClient::CompleteUpload(const std::string& key,
                                                     const std::string& upload_id,
                                                     const std::vector<S3Part>& parts,
                                                     const S3Condition& condition) {
  std::vector<S3Part> ascending = parts;
  std::ranges::sort(ascending, {}, &S3Part::number);
  const std::string document = CompleteUploadDocument(ascending);
  SingleWrite write{.call = {.operation = "CompleteMultipartUpload", .method = "POST", .key = key},
                    .written = {.etag = MultipartETag(ascending), .write_id = WriteIdOf(upload_id)},
                    .condition = condition};
  write.call.query = {{"uploadId", StoresUploadId(upload_id)}};
  write.call.headers = ConditionHeaders(condition);
  write.call.headers.push_back("Content-MD5: " + Base64(Md5Of(document)));
  write.call.body = document;
  write.call.stall_timeout = settings_.long_stall_timeout;
  write.call.is_repeatable = false;
  write.call.may_hide_error = true;
  return SendWrite(write);
}

arrow::Status BucketClient::AbortUpload(const std::string& key, const std::string& upload_id) {
  const arrow::Status status = Send({.operation = "AbortMultipartUpload",
                                     .method = "DELETE",
                                     .key = key,
                                     .query = {{"uploadId", StoresUploadId(upload_id)}}})
                                   .status();
  return KindOf(status) == ErrorKind::kNotFound ? arrow::Status::OK() : status;
}

arrow::Result<std::vector<S3Upload>> BucketClient::ListUploads(const std::string& prefix) {
  std::vector<S3Upload> uploads;
  for (bool is_last = false; !is_last;) {
    S3Call call{.operation = "ListMultipartUploads", .method = "GET"};
    call.query = {{"uploads", ""}, {"prefix", prefix}, {"encoding-type", "url"}};
    if (!uploads.empty()) {
      call.query.emplace_back("key-marker", uploads.back().key);
      call.query.emplace_back("upload-id-marker", uploads.back().upload_id);
    }
    call.body_bytes_max = kDocumentBytesMax;
    ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response, Send(call));
    ARROW_ASSIGN_OR_RAISE(S3UploadsPage page, ParseUploads(response.body));
    std::ranges::move(page.uploads, std::back_inserter(uploads));
    is_last = page.is_last;
  }
  return uploads;
}

arrow::Result<S3Object> BucketClient::Copy(const std::string& source,
                                           const std::string& source_etag,
                                           const std::string& target) {
  ARROW_ASSIGN_OR_RAISE(const S3Object found, Head(source));
  if (found.etag != source_etag) return ToStatus({.status = 412}, Shown(source));
  return found.size_bytes <= settings_.copy_bytes_max ? CopyWhole(found, target)
                                                      : CopyInParts(found, target);
}

arrow::Result<S3Object> BucketClient::CopyWhole(const S3Object& source, const std::string& target) {
  S3Call call{.operation = "CopyObject", .method = "PUT", .key = target};
  call.headers = {SourceHeader(source.key), "x-amz-copy-source-if-match: " + InQuotes(source.etag)};
  call.stall_timeout = settings_.long_stall_timeout;
  call.may_hide_error = true;
  int attempt = 0;
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(call, &attempt));
  if (answer.problem) return ToStatus(*answer.problem, Shown(source.key));
  ARROW_ASSIGN_OR_RAISE(S3CopyDocument copy, ParseCopy(answer.response.body));
  return S3Object{.key = target,
                  .etag = std::move(copy.etag),
                  .size_bytes = source.size_bytes,
                  .modified = copy.modified,
                  .write_id = source.write_id};
}

arrow::Result<S3Object> BucketClient::CopyInParts(const S3Object& source,
                                                  const std::string& target) {
  ARROW_ASSIGN_OR_RAISE(const std::string upload_id, BeginUpload(target));
  const auto copy = [&]() -> arrow::Result<S3Object> {
    std::vector<S3Part> parts;
    for (int64_t offset = 0; offset < source.size_bytes; offset += settings_.copy_part_bytes) {
      const int64_t length = std::min(settings_.copy_part_bytes, source.size_bytes - offset);
      ARROW_ASSIGN_OR_RAISE(S3Part part,
                            UploadPartCopy(target, upload_id, static_cast<int>(parts.size()) + 1,
                                           source.key, source.etag, offset, length));
      parts.push_back(std::move(part));
    }
    return CompleteUpload(target, upload_id, parts, {});
  };
  arrow::Result<S3Object> copied = copy();
  if (copied.ok()) {
    copied->size_bytes = source.size_bytes;
  } else {
    // What is left over when this fails as well is swept later.
    static_cast<void>(AbortUpload(target, upload_id));
  }
  return copied;
}

arrow::Status BucketClient::Delete(const std::string& key, const S3Condition& condition) {
  S3Call call{.operation = "DeleteObject", .method = "DELETE", .key = key};
  if (condition.kind == Kind::kAbsent) {
    return Error(ErrorKind::kInvalidArgument, "{}: what is not there is not deleted", Shown(key));
  }
  if (condition.kind == Kind::kETag) {
    call.headers = ConditionHeaders(condition);
    call.is_repeatable = false;
    return SendDelete(call, condition.etag);
  }
  const arrow::Status status = Send(call).status();
  return KindOf(status) == ErrorKind::kNotFound ? arrow::Status::OK() : status;
}

// As SendWrite. Looks before it asks, as some stores (radosgw) say that all went well where there
// was nothing; they are not asked to hold more than the condition.
arrow::Status BucketClient::SendDelete(const S3Call& call, const std::string& etag) {
  const std::string& key = *call.key;
  bool is_open = false;
  for (int attempt = 0;;) {
    const auto found = Look(key);
    if (!found.ok()) return is_open ? Unknown(key) : found.status();
    if (!*found) return is_open ? arrow::Status::OK() : ToStatus({.status = 404}, Shown(key));
    if ((*found)->etag != etag) return ToStatus({.status = 412}, Shown(key));
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(call, &attempt));
    if (!answer.problem) return arrow::Status::OK();
    const S3Problem& problem = *answer.problem;
    is_open = is_open || MayHaveHappened(problem);
    const bool may_go_on = is_open || IsConflict(problem);
    if (!may_go_on) return ToStatus(problem, Shown(key));
    if (!requests_.WaitForNext(call, answer, attempt)) return Unknown(key);
  }
}

arrow::Result<S3Listing> BucketClient::List(const S3ListRequest& request) {
  S3Call call{.operation = "ListObjectsV2", .method = "GET"};
  call.query = {{"list-type", "2"},
                {"encoding-type", "url"},
                {"prefix", request.prefix},
                {"max-keys", std::to_string(request.keys_max)}};
  if (!request.delimiter.empty()) call.query.emplace_back("delimiter", request.delimiter);
  if (request.page) {
    call.query.emplace_back("continuation-token", *request.page);
  } else if (!request.start_after.empty()) {
    call.query.emplace_back("start-after", request.start_after);
  }
  call.body_bytes_max = kDocumentBytesMax;
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response, Send(call));
  return ParseListing(response.body);
}

arrow::Result<std::string> BucketClient::BucketVersioning() {
  ARROW_ASSIGN_OR_RAISE(
      const S3HttpResponse response,
      Send({.operation = "GetBucketVersioning", .method = "GET", .query = {{"versioning", ""}}}));
  return ParseVersioning(response.body);
}

}  // namespace

arrow::Result<std::shared_ptr<S3Client>> MakeBucketClient(const S3Location& location,
                                                          BucketClientSettings settings,
                                                          const Environment& environment,
                                                          std::shared_ptr<Logger> logger,
                                                          Metrics* metrics) {
  if (!location.ca_file.empty() && ::access(location.ca_file.c_str(), R_OK) != 0) {
    return Error(ErrorKind::kFailedPrecondition,
                 "the file '{}' of the object store's authorities cannot be read",
                 location.ca_file);
  }
  ARROW_ASSIGN_OR_RAISE(auto credentials, FindCredentials(location, environment));
  auto keeper = std::make_unique<CredentialKeeper>(std::move(credentials), logger, settings.now);
  return std::make_shared<BucketClient>(location, settings, std::move(keeper), std::move(logger),
                                        metrics);
}

arrow::Result<std::shared_ptr<S3Client>> S3Client::Make(const S3Location& location,
                                                        std::shared_ptr<Logger> logger,
                                                        Metrics* metrics) {
  return MakeBucketClient(location, {}, ProcessEnvironment(), std::move(logger), metrics);
}

}  // namespace hangar
