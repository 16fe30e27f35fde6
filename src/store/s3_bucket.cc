#include "store/s3_bucket.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "s3/md5.h"
#include "store/s3_layout.h"

namespace hangar {
namespace {

// An object that was written in one request, up to this size, is written so again: its ETag is the
// MD5 of its bytes.
constexpr int64_t kWholeBytesMax = 16 << 20;

// How often a body may arrive other than it is stored.
constexpr int kReadsOfWholeMax = 5;

// Ranges that S3PartBytes cuts an object into.
std::vector<std::pair<int64_t, int64_t>> PartsOf(int64_t size_bytes) {
  std::vector<std::pair<int64_t, int64_t>> parts;
  for (int64_t offset = 0; offset < size_bytes;) {
    const int64_t length =
        std::min(S3PartBytes(static_cast<int>(parts.size())), size_bytes - offset);
    parts.emplace_back(offset, length);
    offset += length;
  }
  return parts;
}

}  // namespace

ObjectInfo InfoOf(const std::string& key, const S3Object& object) {
  return {.key = key,
          .version = object.etag,
          .size_bytes = object.size_bytes,
          .modified = object.modified};
}

bool IsTombstone(const S3Object& object) {
  return object.size_bytes == static_cast<int64_t>(kS3Tombstone.size()) &&
         object.etag == kS3TombstoneETag;
}

arrow::Result<S3Bucket::Current> S3Bucket::Look(const std::string& key) const {
  const auto object = client_->Head(Whole(key));
  if (object.ok()) {
    Current current{.object = InfoOf(key, *object),
                    .condition = {.kind = S3Condition::Kind::kETag, .etag = object->etag},
                    .is_tombstone = IsTombstone(*object)};
    if (current.is_tombstone) current.object.reset();
    return current;
  }
  if (KindOf(object.status()) != ErrorKind::kNotFound) return object.status();
  return Current{.object = {}, .condition = {.kind = S3Condition::Kind::kAbsent, .etag = {}}};
}

arrow::Result<std::optional<ObjectInfo>> S3Bucket::Find(const std::string& key) const {
  ARROW_ASSIGN_OR_RAISE(Current current, Look(key));
  return std::move(current.object);
}

arrow::Status S3Bucket::CheckLength(const std::string& key) const {
  const S3HistoryName longest{.by = RetiredBy::kReplaced,
                              .version = std::string(40, 'f')};  // An MD5 and "-10000".
  const std::string whole =
      Whole(std::string(kS3History) + S3HistoryFolderOf(key) + longest.ToString());
  if (whole.size() <= kS3KeyBytesMax) return arrow::Status::OK();
  return Error(ErrorKind::kInvalidArgument, "{} is too long by {} bytes for a name in this bucket",
               Quoted(key), whole.size() - kS3KeyBytesMax);
}

arrow::Result<std::string> S3Bucket::ReadWhole(const std::string& whole, const std::string& etag,
                                               int64_t size_bytes) const {
  std::string before;
  for (int reads = 1; reads <= kReadsOfWholeMax; ++reads) {
    std::string bytes(static_cast<size_t>(size_bytes), '\0');
    ARROW_RETURN_NOT_OK(client_->Read(whole, etag, 0, size_bytes, bytes.data()));
    if (Hexadecimal(Md5Of(bytes)) == etag || (reads > 1 && bytes == before)) return bytes;
    before = std::move(bytes);
  }
  return MakeError(ErrorKind::kUnavailable,
                   "what the object store sends is not what it stores; try again");
}

arrow::Result<S3Object> S3Bucket::CopyUnder(const S3Condition& condition, const std::string& source,
                                            const ObjectInfo& info, const std::string& source_etag,
                                            const std::string& target) const {
  const std::string from = Whole(source);
  const std::string to = Whole(target);
  if (info.size_bytes <= kWholeBytesMax && !source_etag.contains('-')) {
    ARROW_ASSIGN_OR_RAISE(const std::string bytes, ReadWhole(from, source_etag, info.size_bytes));
    return client_->Write(to, bytes, condition);
  }
  ARROW_ASSIGN_OR_RAISE(const std::string upload, client_->BeginUpload(to));
  const auto copy = [&]() -> arrow::Result<S3Object> {
    std::vector<S3Part> parts;
    for (const auto& [offset, length] : PartsOf(info.size_bytes)) {
      ARROW_ASSIGN_OR_RAISE(
          S3Part part, client_->UploadPartCopy(to, upload, static_cast<int>(parts.size()) + 1, from,
                                               source_etag, offset, length));
      parts.push_back(std::move(part));
    }
    // Not every store (radosgw 20.2) holds the copy of a part to the source's ETag. What is copied
    // from here has a name that no other object ever gets, so that one look will do.
    ARROW_ASSIGN_OR_RAISE(const S3Object copied, client_->Head(from));
    if (copied.etag != source_etag) {
      return Error(ErrorKind::kUnavailable, "{} changed while it was copied; try again",
                   Quoted(info.key));
    }
    return client_->CompleteUpload(to, upload, parts, condition);
  };
  auto made = copy();
  if (!made.ok()) {
    std::ignore = client_->AbortUpload(to, upload);  // Else it is swept.
    return made.status();
  }
  made->size_bytes = info.size_bytes;  // The answer does not tell it.
  return made;
}

}  // namespace hangar
