#include <algorithm>
#include <utility>

#include "base/error.h"
#include "s3/request_headers.h"
#include "s3/s3_xml.h"
#include "s3/signed_bucket_client.h"
#include "s3/uri_encoding.h"
#include "s3/write_id.h"

namespace hangar {

std::string SignedBucketClient::SourceHeader(const std::string& source) const {
  return "x-amz-copy-source: /" + location_.bucket + "/" + EncodedPath(source);
}

arrow::Result<S3Part> SignedBucketClient::UploadPartCopy(const std::string& key,
                                                         const std::string& upload_id, int number,
                                                         const std::string& source,
                                                         const std::string& source_etag,
                                                         int64_t offset, int64_t length) {
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

arrow::Result<S3Object> SignedBucketClient::Copy(const std::string& source,
                                                 const std::string& source_etag,
                                                 const std::string& target) {
  ARROW_ASSIGN_OR_RAISE(const S3Object found, Head(source));
  if (found.etag != source_etag) return ToStatus({.status = 412}, Shown(source));
  return found.size_bytes <= settings_.copy_bytes_max ? CopyWhole(found, target)
                                                      : CopyInParts(found, target);
}

arrow::Result<S3Object> SignedBucketClient::CopyWhole(const S3Object& source,
                                                      const std::string& target) {
  S3Call call{.operation = "CopyObject", .method = "PUT", .key = target};
  call.headers = {SourceHeader(source.key), "x-amz-copy-source-if-match: " + InQuotes(source.etag)};
  call.stall_timeout = settings_.long_stall_timeout;
  call.may_hide_error = true;
  Attempts attempts;
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, requests_.Send(call, &attempts));
  if (answer.problem) return ToStatus(*answer.problem, Shown(source.key));
  ARROW_ASSIGN_OR_RAISE(S3CopyDocument copy, ParseCopy(answer.response.body));
  return S3Object{.key = target,
                  .etag = std::move(copy.etag),
                  .size_bytes = source.size_bytes,
                  .modified = copy.modified,
                  .write_id = source.write_id};
}

arrow::Result<S3Object> SignedBucketClient::CopyInParts(const S3Object& source,
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
    // Not every store (radosgw 20.2) holds the copy of a part to the source's ETag.
    ARROW_ASSIGN_OR_RAISE(const S3Object now, Head(source.key));
    if (now.etag != source.etag || now.write_id != source.write_id ||
        now.modified != source.modified) {
      return ToStatus({.status = 412}, Shown(source.key));
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

}  // namespace hangar
