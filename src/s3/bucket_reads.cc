#include <algorithm>
#include <charconv>
#include <format>
#include <utility>

#include "base/error.h"
#include "s3/request_headers.h"
#include "s3/s3_xml.h"
#include "s3/signed_bucket_client.h"
#include "s3/write_id.h"

namespace hangar {
namespace {

constexpr size_t kDocumentBytesMax = 32 << 20;

// The number behind `text`'s last `before`, -1 where there is none.
int64_t NumberBehind(const std::string& text, char before) {
  const size_t position = text.rfind(before);
  const char* const begin = text.data() + (position == std::string::npos ? 0 : position + 1);
  const char* const end = text.data() + text.size();
  int64_t number = 0;
  const auto [last, error] = std::from_chars(begin, end, number);
  return begin != end && error == std::errc() && last == end ? number : -1;
}

}  // namespace

arrow::Result<S3Object> SignedBucketClient::ObjectOf(const std::string& key,
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

arrow::Result<S3Object> SignedBucketClient::Head(const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(const S3HttpResponse response,
                        Send({.operation = "HeadObject", .method = "HEAD", .key = key}));
  return ObjectOf(key, response, NumberBehind(response.Header("content-length"), ' '));
}

arrow::Result<std::optional<S3Object>> SignedBucketClient::Look(const std::string& key) {
  auto found = Head(key);
  if (!found.ok() && KindOf(found.status()) == ErrorKind::kNotFound) return std::nullopt;
  ARROW_RETURN_NOT_OK(found.status());
  return *std::move(found);
}

arrow::Status SignedBucketClient::Read(const std::string& key, const std::string& etag,
                                       int64_t offset, int64_t length, void* out) {
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

arrow::Result<S3Object> SignedBucketClient::ReadEnd(const std::string& key, int64_t length,
                                                    std::string* out) {
  if (length <= 0) return Error(ErrorKind::kInvalidArgument, "the end of an object has some bytes");
  out->resize(static_cast<size_t>(length));
  S3Call call{.operation = "GetObject", .method = "GET", .key = key};
  call.headers = {std::format("Range: bytes=-{}", length)};
  call.sink = out->data();
  call.sink_bytes = out->size();
  Attempts attempts;
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(call, &attempts));
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

arrow::Result<S3Listing> SignedBucketClient::List(const S3ListRequest& request) {
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

arrow::Result<std::vector<S3Upload>> SignedBucketClient::ListUploads(const std::string& prefix) {
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

}  // namespace hangar
