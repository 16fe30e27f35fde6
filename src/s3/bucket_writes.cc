#include <algorithm>
#include <format>
#include <utility>

#include "base/error.h"
#include "s3/md5.h"
#include "s3/request_headers.h"
#include "s3/s3_xml.h"
#include "s3/signed_bucket_client.h"
#include "s3/write_id.h"

namespace hangar {
namespace {

using Kind = S3Condition::Kind;

}  // namespace

arrow::Result<S3Object> SignedBucketClient::WrittenOf(const SingleWrite& write,
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
arrow::Status SignedBucketClient::Refusal(const SingleWrite& write,
                                          const S3Problem& problem) const {
  // Some stores say "not found" where there is nothing to match.
  const bool is_unmatched = problem.status == 404 && write.condition.kind == Kind::kETag &&
                            problem.code != "NoSuchBucket" && problem.code != "NoSuchUpload";
  return ToStatus(is_unmatched ? S3Problem{.status = 412} : problem, Shown(*write.call.key));
}

// Sends a write until it is known what became of it. After an answer that leaves that open, what
// stands at the key tells.
arrow::Result<S3Object> SignedBucketClient::SendWrite(const SingleWrite& write) {
  const std::string& key = *write.call.key;
  bool is_open = false;
  for (Attempts attempts;;) {
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(write.call, &attempts));
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
    if (!requests_.WaitForNext(write.call, answer, attempts)) return Unknown(key);
  }
}

arrow::Result<S3Object> SignedBucketClient::Write(const std::string& key, std::string_view bytes,
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

arrow::Result<std::string> SignedBucketClient::BeginUpload(const std::string& key) {
  const std::string write_id = NewWriteId();
  S3Call call{.operation = "CreateMultipartUpload", .method = "POST", .key = key};
  call.query = {{"uploads", ""}};
  call.headers = {std::format("{}: {}", kWriteIdHeader, write_id)};
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response, Send(call));
  ARROW_ASSIGN_OR_RAISE(const std::string upload_id, ParseBegunUpload(response.body));
  return UploadIdOf(write_id, upload_id);
}

arrow::Result<S3Part> SignedBucketClient::UploadPart(const std::string& key,
                                                     const std::string& upload_id, int number,
                                                     std::string_view bytes) {
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

arrow::Result<S3Object> SignedBucketClient::CompleteUpload(const std::string& key,
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

arrow::Status SignedBucketClient::AbortUpload(const std::string& key,
                                              const std::string& upload_id) {
  const arrow::Status status = Send({.operation = "AbortMultipartUpload",
                                     .method = "DELETE",
                                     .key = key,
                                     .query = {{"uploadId", StoresUploadId(upload_id)}}})
                                   .status();
  return KindOf(status) == ErrorKind::kNotFound ? arrow::Status::OK() : status;
}

arrow::Status SignedBucketClient::Delete(const std::string& key, const S3Condition& condition) {
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
arrow::Status SignedBucketClient::SendDelete(const S3Call& call, const std::string& etag) {
  const std::string& key = *call.key;
  bool is_open = false;
  for (Attempts attempts;;) {
    const auto found = Look(key);
    if (!found.ok()) return is_open ? Unknown(key) : found.status();
    if (!*found) return is_open ? arrow::Status::OK() : ToStatus({.status = 404}, Shown(key));
    if ((*found)->etag != etag) return ToStatus({.status = 412}, Shown(key));
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(call, &attempts));
    if (!answer.problem) return arrow::Status::OK();
    const S3Problem& problem = *answer.problem;
    is_open = is_open || MayHaveHappened(problem);
    const bool may_go_on = is_open || IsConflict(problem);
    if (!may_go_on) return ToStatus(problem, Shown(key));
    if (!requests_.WaitForNext(call, answer, attempts)) return Unknown(key);
  }
}

}  // namespace hangar
