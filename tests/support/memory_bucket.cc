#include "tests/support/memory_bucket.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "s3/md5.h"

namespace hangar {
namespace {

using Kind = S3Condition::Kind;

arrow::Status NotThere() {
  return MakeError(ErrorKind::kNotFound, "it is not in the object store");
}
arrow::Status Changed() {
  return MakeError(ErrorKind::kFailedPrecondition, "it was changed in the object store meanwhile");
}

arrow::Status StatusOf(const arrow::Status& status) { return status; }
template <typename T>
arrow::Status StatusOf(const arrow::Result<T>& result) {
  return result.status();
}

}  // namespace

template <typename Work>
auto MemoryBucket::Step(std::string_view method, const std::string& key, Work work) {
  const MutexLock lock(mutex_);
  using Answer = decltype(work());
  if (before_) {
    if (const auto failure = before_(method, key); !failure.ok()) return Answer(failure);
  }
  Answer answer = work();
  if (StatusOf(answer).ok() && after_) {
    if (const auto failure = after_(method, key); !failure.ok()) return Answer(failure);
  }
  return answer;
}

void MemoryBucket::FailBefore(Hook hook) {
  const MutexLock lock(mutex_);
  before_ = std::move(hook);
}

void MemoryBucket::FailAfter(Hook hook) {
  const MutexLock lock(mutex_);
  after_ = std::move(hook);
}

void MemoryBucket::Age(std::chrono::nanoseconds time) {
  const MutexLock lock(mutex_);
  for (auto& [key, stored] : objects_) stored.object.modified -= time;
  for (auto& [id, upload] : uploads_) upload.begun -= time;
}

std::vector<std::string> MemoryBucket::Keys() {
  const MutexLock lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, stored] : objects_) keys.push_back(key);
  return keys;
}

arrow::Result<MemoryBucket::Stored> MemoryBucket::Get(const std::string& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return NotThere();
  return found->second;
}

arrow::Result<MemoryBucket::Growing*> MemoryBucket::GetUpload(const std::string& upload_id) {
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end()) return NotThere();
  return &found->second;
}

arrow::Status MemoryBucket::Check(const std::string& key, const S3Condition& condition) {
  if (!options_.keeps_conditions || condition.kind == Kind::kNone) return arrow::Status::OK();
  const auto found = objects_.find(key);
  const bool is_there = found != objects_.end();
  const bool holds = condition.kind == Kind::kAbsent
                         ? !is_there
                         : is_there && found->second.object.etag == condition.etag;
  return holds ? arrow::Status::OK() : Changed();
}

S3Object MemoryBucket::Put(const std::string& key, std::string bytes, std::string etag) {
  Stored& stored = objects_[key];
  stored.object = {.key = key,
                   .etag = std::move(etag),
                   .size_bytes = static_cast<int64_t>(bytes.size()),
                   .modified = Now(),
                   .write_id = std::to_string(++last_id_)};
  stored.bytes = std::make_shared<const std::string>(std::move(bytes));
  return stored.object;
}

arrow::Result<S3Object> MemoryBucket::Head(const std::string& key) {
  return Step("Head", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Object> {
    ARROW_ASSIGN_OR_RAISE(Stored stored, Get(key));
    return std::move(stored.object);
  });
}

arrow::Status MemoryBucket::Read(const std::string& key, const std::string& etag, int64_t offset,
                                 int64_t length, void* out) {
  return Step("Read", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const Stored stored, Get(key));
    if (stored.object.etag != etag) return Changed();
    if (offset < 0 || length < 0 || offset > stored.object.size_bytes - length) {
      return MakeError(ErrorKind::kInvalidArgument, "it has no such range");
    }
    if (length > 0) std::memcpy(out, stored.bytes->data() + offset, static_cast<size_t>(length));
    return arrow::Status::OK();
  });
}

void MemoryBucket::NoteDamaged(const std::string& /*key*/) {
  const MutexLock lock(mutex_);
  ++damaged_;
}

int MemoryBucket::damaged() {
  const MutexLock lock(mutex_);
  return damaged_;
}

arrow::Result<S3Object> MemoryBucket::ReadEnd(const std::string& key, int64_t length,
                                              std::string* out) {
  return Step("ReadEnd", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Object> {
    ARROW_ASSIGN_OR_RAISE(Stored stored, Get(key));
    const auto taken = std::min(static_cast<size_t>(length), stored.bytes->size());
    *out = stored.bytes->substr(stored.bytes->size() - taken);
    return std::move(stored.object);
  });
}

arrow::Result<S3Object> MemoryBucket::Write(const std::string& key, std::string_view bytes,
                                            const S3Condition& condition) {
  return Step("Write", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Object> {
    ARROW_RETURN_NOT_OK(Check(key, condition));
    return Put(key, std::string(bytes), Hexadecimal(Md5Of(bytes)));
  });
}

arrow::Result<std::string> MemoryBucket::BeginUpload(const std::string& key) {
  return Step("BeginUpload", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<std::string> {
    std::string id = std::to_string(++last_id_);
    uploads_[id] = {.key = key, .begun = Now(), .parts = {}};
    return id;
  });
}

arrow::Result<S3Part> MemoryBucket::UploadPart(const std::string& key, const std::string& upload_id,
                                               int number, std::string_view bytes) {
  return Step("UploadPart", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Part> {
    ARROW_ASSIGN_OR_RAISE(Growing * upload, GetUpload(upload_id));
    upload->parts[number] = bytes;
    return S3Part{.number = number, .etag = Hexadecimal(Md5Of(bytes))};
  });
}

arrow::Result<S3Part> MemoryBucket::UploadPartCopy(const std::string& key,
                                                   const std::string& upload_id, int number,
                                                   const std::string& source,
                                                   const std::string& source_etag, int64_t offset,
                                                   int64_t length) {
  return Step("UploadPartCopy", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Part> {
    ARROW_ASSIGN_OR_RAISE(const Stored stored, Get(source));
    if (stored.object.etag != source_etag) return Changed();
    ARROW_ASSIGN_OR_RAISE(Growing * upload, GetUpload(upload_id));
    const std::string bytes =
        stored.bytes->substr(static_cast<size_t>(offset), static_cast<size_t>(length));
    upload->parts[number] = bytes;
    return S3Part{.number = number, .etag = Hexadecimal(Md5Of(bytes))};
  });
}

arrow::Result<S3Object> MemoryBucket::CompleteUpload(const std::string& key,
                                                     const std::string& upload_id,
                                                     const std::vector<S3Part>& parts,
                                                     const S3Condition& condition) {
  return Step("CompleteUpload", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Object> {
    ARROW_ASSIGN_OR_RAISE(Growing * upload, GetUpload(upload_id));
    if (options_.keeps_conditions_of_uploads) ARROW_RETURN_NOT_OK(Check(key, condition));
    std::string bytes;
    for (const S3Part& part : parts) bytes += upload->parts[part.number];
    uploads_.erase(upload_id);
    S3Object made = Put(key, std::move(bytes), *MultipartETag(parts));
    made.size_bytes = -1;
    return made;
  });
}

arrow::Status MemoryBucket::AbortUpload(const std::string& key, const std::string& upload_id) {
  return Step("AbortUpload", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Status {
    uploads_.erase(upload_id);
    return arrow::Status::OK();
  });
}

arrow::Result<std::vector<S3Upload>> MemoryBucket::ListUploads(const std::string& prefix) {
  return Step("ListUploads", prefix,
              [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<std::vector<S3Upload>> {
                std::vector<S3Upload> found;
                for (const auto& [id, upload] : uploads_) {
                  if (!upload.key.starts_with(prefix)) continue;
                  found.push_back({.key = upload.key, .upload_id = id, .begun = upload.begun});
                }
                return found;
              });
}

arrow::Result<S3Object> MemoryBucket::Copy(const std::string& source,
                                           const std::string& source_etag,
                                           const std::string& target) {
  return Step("Copy", target, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Object> {
    ARROW_ASSIGN_OR_RAISE(const Stored stored, Get(source));
    if (stored.object.etag != source_etag) return Changed();
    return Put(target, *stored.bytes, stored.object.etag);
  });
}

arrow::Status MemoryBucket::Delete(const std::string& key, const S3Condition& condition) {
  return Step("Delete", key, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Status {
    const auto found = objects_.find(key);
    if (condition.kind == Kind::kETag) {
      if (found == objects_.end()) return NotThere();
      if (found->second.object.etag != condition.etag) return Changed();
    }
    if (found != objects_.end()) objects_.erase(found);
    return arrow::Status::OK();
  });
}

arrow::Result<S3Listing> MemoryBucket::List(const S3ListRequest& request) {
  return Step("List", request.prefix, [&]() HANGAR_REQUIRES(mutex_) -> arrow::Result<S3Listing> {
    S3Listing listing;
    const std::string after = request.page.value_or(request.start_after);
    std::string last;
    int found = 0;
    for (const auto& [key, stored] : objects_) {
      if (!key.starts_with(request.prefix) || key <= after) continue;
      const size_t end = request.delimiter.empty()
                             ? std::string::npos
                             : key.find(request.delimiter, request.prefix.size());
      const std::string folded =
          end == std::string::npos ? "" : key.substr(0, end + request.delimiter.size());
      // What a page gave folded is passed over as a whole.
      if (!folded.empty() && after.starts_with(folded)) continue;
      if (!folded.empty() && !listing.prefixes.empty() && listing.prefixes.back() == folded) {
        last = key;
        continue;
      }
      if (found == request.keys_max) {
        listing.next_page = last;
        return listing;
      }
      ++found;
      last = key;
      if (folded.empty()) {
        listing.objects.push_back(stored.object);
      } else {
        listing.prefixes.push_back(folded);
      }
    }
    return listing;
  });
}

arrow::Result<std::string> MemoryBucket::BucketVersioning() {
  return std::string(options_.keeps_versions ? "Enabled" : "");
}

}  // namespace hangar
