#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/clock.h"
#include "base/log.h"
#include "s3/s3_location.h"

namespace hangar {

class Metrics;

/// What an object store tells of an object. Its ETag stands with the quotes taken off.
struct S3Object {
  std::string key;
  std::string etag;
  int64_t size_bytes = 0;
  Timestamp modified{};
  /// Tells the write that made it from every other one, also of the same bytes; empty for what
  /// others made, and in listings.
  std::string write_id = {};
};

/// What has to hold of a key at the moment of a write or a deletion.
struct S3Condition {
  enum class Kind {
    kNone,
    kAbsent,  ///< If-None-Match: *
    kETag,    ///< If-Match
  };
  Kind kind = Kind::kNone;
  std::string etag;  ///< For kETag.
};

/// One page of a listing.
struct S3Listing {
  std::vector<S3Object> objects;         ///< In the order of their keys' bytes.
  std::vector<std::string> prefixes;     ///< What a delimiter folded, likewise.
  std::optional<std::string> next_page;  ///< nullopt: this was the last one.
};

struct S3ListRequest {
  std::string prefix;
  std::string delimiter;            ///< Empty: none.
  std::string start_after;          ///< Only keys greater than this one.
  std::optional<std::string> page;  ///< What the page before gave as `next_page`.
  int keys_max = 1000;
};

/// A part of a multipart upload that the store has.
struct S3Part {
  int number = 0;  ///< From 1.
  std::string etag;
};

/// An upload that was begun and not ended.
struct S3Upload {
  std::string key;
  std::string upload_id;
  Timestamp begun{};
};

/// Speaks S3 with one bucket: signed, over connections that are kept, with what may be repeated
/// repeated. Thread-safe; each call blocks until its answer is there.
///
/// Keys are whole (the location's prefix is the caller's to add) and may hold any UTF-8, but
/// no segment "." or "..", which HTTP has other uses for (INVALID_ARGUMENT).
/// Errors have a kind: NOT_FOUND (no such key, or upload), FAILED_PRECONDITION (a condition does
/// not hold: 412, and what stores answer instead of it), RESOURCE_EXHAUSTED (507, quota),
/// PERMISSION_DENIED (403), UNAVAILABLE (it did not answer in the time that repeating may take),
/// INVALID_ARGUMENT (what the store says is wrong with the request), INTERNAL. Their sentences name
/// the key without the prefix, and no secret, host or request.
///
/// A request is repeated after connection errors, time-outs, 429, 500, 502, 503, 504 and SlowDown,
/// with exponential backoff and full jitter (Brooker, "Exponential Backoff And Jitter", 2015), as
/// far as a budget that all requests share allows. A conditional write that may have happened
/// though its answer was lost is not repeated blindly: the client looks what is there (see the
/// methods).
class S3Client {
 public:
  virtual ~S3Client() = default;

  /// Connects to nothing yet. INVALID_ARGUMENT or FAILED_PRECONDITION when credentials cannot be
  /// found or what the location says cannot be used.
  static arrow::Result<std::shared_ptr<S3Client>> Make(const S3Location& location,
                                                       std::shared_ptr<Logger> logger,
                                                       Metrics* metrics);

  virtual arrow::Result<S3Object> Head(const std::string& key) = 0;

  /// Exactly `length` bytes at `offset` of the object of this ETag. FAILED_PRECONDITION when the
  /// key holds another one now, INVALID_ARGUMENT when it does not have that range.
  virtual arrow::Status Read(const std::string& key, const std::string& etag, int64_t offset,
                             int64_t length, void* out) = 0;

  /// For who finds that what Read or ReadEnd gave is damaged, and is going to read it again:
  /// counted, and said in the log. A range comes without a checksum that could tell here.
  virtual void NoteDamaged(const std::string& key) = 0;

  /// The last `length` bytes, or all where there are fewer, and which object they are of, in one
  /// request.
  virtual arrow::Result<S3Object> ReadEnd(const std::string& key, int64_t length,
                                          std::string* out) = 0;

  /// Writes a whole object in one request. After a lost answer: what stands there with this
  /// write's id counts as written; UNAVAILABLE, saying so, where it cannot be found out
  /// whether it was. `modified` is the time of the store's answer; Head and List tell the store's.
  virtual arrow::Result<S3Object> Write(const std::string& key, std::string_view bytes,
                                        const S3Condition& condition) = 0;

  /// Begins an upload and gives its id, which is more than the store's own: it also tells this
  /// upload's object from every other one.
  virtual arrow::Result<std::string> BeginUpload(const std::string& key) = 0;
  /// Sends a part with a checksum that the store verifies. Repeatable.
  virtual arrow::Result<S3Part> UploadPart(const std::string& key, const std::string& upload_id,
                                           int number, std::string_view bytes) = 0;
  /// Lets the store copy a range of an object of this ETag as a part. FAILED_PRECONDITION when the
  /// source is another one now.
  virtual arrow::Result<S3Part> UploadPartCopy(const std::string& key, const std::string& upload_id,
                                               int number, const std::string& source,
                                               const std::string& source_etag, int64_t offset,
                                               int64_t length) = 0;
  /// Makes the object of its parts visible. An error inside an answer of 200 is an error. After a
  /// lost answer, or one that says that there is no such upload any more: what stands at the key
  /// with this upload's id (or, of an id from a listing, the ETag that the parts give) counts as
  /// done. NOT_FOUND when there is no such upload. UNAVAILABLE and
  /// `modified` as with Write; `size_bytes` is -1 where no look was needed: the store does not say.
  virtual arrow::Result<S3Object> CompleteUpload(const std::string& key,
                                                 const std::string& upload_id,
                                                 const std::vector<S3Part>& parts,
                                                 const S3Condition& condition) = 0;
  /// OK as well when there is no such upload.
  virtual arrow::Status AbortUpload(const std::string& key, const std::string& upload_id) = 0;
  /// The uploads of keys that begin with `prefix` that were begun and not ended.
  virtual arrow::Result<std::vector<S3Upload>> ListUploads(const std::string& prefix) = 0;

  /// Copies within the bucket by the store itself, whatever stands at `target`; objects of any
  /// size. FAILED_PRECONDITION when the source is not of this ETag, NOT_FOUND when it is not there.
  virtual arrow::Result<S3Object> Copy(const std::string& source, const std::string& source_etag,
                                       const std::string& target) = 0;

  /// OK as well when there is nothing and no condition. With kETag: NOT_FOUND when nothing is
  /// there, FAILED_PRECONDITION when it is another one; of two at the same moment both may be OK
  /// (radosgw says that all went well where nothing is). kAbsent is INVALID_ARGUMENT.
  virtual arrow::Status Delete(const std::string& key, const S3Condition& condition) = 0;

  virtual arrow::Result<S3Listing> List(const S3ListRequest& request) = 0;

  /// "Enabled", "Suspended" or "": whether the bucket keeps versions by itself.
  virtual arrow::Result<std::string> BucketVersioning() = 0;
};

}  // namespace hangar
