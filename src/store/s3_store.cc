#include "store/s3_store.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/s3_bucket.h"
#include "store/s3_changes.h"
#include "store/s3_history.h"
#include "store/s3_layout.h"
#include "store/s3_lister.h"
#include "store/s3_reader.h"
#include "store/s3_staging.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// How often what is to be renamed may be another one by the time that it is taken.
constexpr int kRenameAttempts = 30;

class S3Store final : public ObjectStore {
 public:
  S3Store(std::shared_ptr<const S3Bucket> bucket, const S3StoreOptions& options)
      : bucket_(std::move(bucket)),
        changes_(std::make_shared<const S3Changes>(bucket_, options.keeps_past,
                                                   options.is_single_writer)),
        keeps_past_(options.keeps_past),
        is_single_writer_(options.is_single_writer) {}

  bool IsRemote() const override { return true; }

  arrow::Result<ObjectInfo> Stat(const std::string& key) override {
    ARROW_ASSIGN_OR_RAISE(auto current, bucket_->Find(key));
    if (!current) return NoSuchObject(key);
    return *std::move(current);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    ARROW_ASSIGN_OR_RAISE(const ObjectInfo info, Stat(key));
    return OpenAt(info);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenAt(const ObjectInfo& object) override {
    auto place = std::make_shared<S3Place>(object.key, object.version);
    return OpenS3Object(bucket_, object, std::move(place));
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenWithEnd(const std::string& key) override {
    return OpenS3ObjectWithEnd(bucket_, key);
  }

  arrow::Result<std::unique_ptr<StagedObject>> Stage(const StageOptions& options) override {
    return StageS3Object(bucket_, changes_, options);
  }

  StagingMemory staging_memory() const override { return S3StagingMemory(); }

  arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) override {
    return ListS3Objects(bucket_, options, /*sweeps_tombstones=*/!is_single_writer_);
  }

  arrow::Status Delete(const std::string& key, const Precondition& precondition) override {
    return changes_->Take(key, precondition, /*needs_copy=*/false).status();
  }

  arrow::Result<ObjectInfo> Rename(const std::string& from, const std::string& to,
                                   const Precondition& from_precondition,
                                   const Precondition& to_precondition) override {
    for (int attempt = 0; attempt < kRenameAttempts; ++attempt) {
      ARROW_ASSIGN_OR_RAISE(const ObjectInfo moved, Stat(from));
      ARROW_RETURN_NOT_OK(CheckPrecondition(from, from_precondition, &moved));
      ARROW_ASSIGN_OR_RAISE(const auto target, bucket_->Find(to));
      ARROW_RETURN_NOT_OK(CheckPrecondition(to, to_precondition, target ? &*target : nullptr));
      if (from == to) return moved;
      ARROW_RETURN_NOT_OK(bucket_->CheckLength(to));
      auto taken = changes_->Take(from, Precondition::Version(moved.version), /*needs_copy=*/true);
      if (taken.ok()) return PutTaken(moved, *taken, to, to_precondition);
      // It moved on since, so what was asked for is to be asked of the next one.
      const bool has_moved_on = KindOf(taken.status()) == ErrorKind::kFailedPrecondition &&
                                from_precondition.kind == Precondition::Kind::kNone;
      if (!has_moved_on) return taken.status();
    }
    return Error(ErrorKind::kUnavailable, "{} is changed by others all the time; try again",
                 Quoted(from));
  }

  arrow::Result<std::vector<RetiredObject>> ListRetired(const std::string& key) override {
    ARROW_ASSIGN_OR_RAISE(auto past, changes_->history().List(key));
    std::vector<RetiredObject> retired;
    for (S3PastObject& entry : past) retired.push_back(std::move(entry.retired));
    return retired;
  }

  arrow::Result<std::unique_ptr<KeyLister>> ListRetiredKeys(const ListOptions& options) override {
    return changes_->history().ListKeys(options);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenRetired(const std::string& key,
                                                           const std::string& version) override {
    ARROW_ASSIGN_OR_RAISE(S3PastObject past, changes_->history().Find(key, version));
    auto place = std::make_shared<S3Place>(std::move(past.name), std::move(past.etag));
    return OpenS3Object(bucket_, std::move(past.retired.object), std::move(place));
  }

  arrow::Status HoldRetired(const std::string& key, const std::string& version,
                            Timestamp until) override {
    return changes_->history().Hold(key, version, until);
  }

  arrow::Result<ObjectInfo> RestoreRetired(const std::string& key, const std::string& version,
                                           const Precondition& precondition) override {
    ARROW_ASSIGN_OR_RAISE(auto current, bucket_->Find(key));
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, current ? &*current : nullptr));
    if (current && current->version == version) return *std::move(current);
    ARROW_ASSIGN_OR_RAISE(const S3PastObject past, changes_->history().Find(key, version));
    if (past.retired.by == RetiredBy::kRenamed) return NotRetired(key, version);
    ARROW_ASSIGN_OR_RAISE(ObjectInfo restored,
                          changes_->Replace(key, precondition, [&](const S3Condition& condition) {
                            return bucket_->CopyUnder(condition, past.name, past.retired.object,
                                                      past.etag, key);
                          }));
    std::ignore = changes_->history().Purge(past.retired);  // One too many does no harm.
    return restored;
  }

  arrow::Status PurgeRetired(const RetiredObject& retired) override {
    return changes_->history().Purge(retired);
  }

  arrow::Result<SweepReport> SweepStaging() override { return SweepS3Staging(*bucket_); }

 private:
  // The second half of a rename: `moved` was taken from its key, and is past there by the name
  // `past`.
  arrow::Result<ObjectInfo> PutTaken(const ObjectInfo& moved, const std::string& past,
                                     const std::string& to, const Precondition& to_precondition) {
    auto put = PutFromHistory(moved, past, to, to_precondition);
    if (!put.ok()) {
      // Back to where it was, unless something new stands there, which it is then past to.
      if (PutFromHistory(moved, past, moved.key, Precondition::Absent()).ok()) {
        std::ignore = changes_->history().Remove(past);
      }
      return put.status();
    }
    // Otherwise it stays as dropped, which is more than was asked for and no harm.
    std::ignore = keeps_past_ ? changes_->history().MarkMoved(moved.key, past)
                              : changes_->history().Remove(past);
    return put;
  }

  // Puts what was just taken away to a key.
  arrow::Result<ObjectInfo> PutFromHistory(const ObjectInfo& moved, const std::string& past,
                                           const std::string& key,
                                           const Precondition& precondition) {
    ARROW_ASSIGN_OR_RAISE(const S3Object copy, bucket_->client().Head(bucket_->Whole(past)));
    return changes_->Replace(key, precondition, [&](const S3Condition& condition) {
      return bucket_->CopyUnder(condition, past, moved, copy.etag, key);
    });
  }

  const std::shared_ptr<const S3Bucket> bucket_;
  const std::shared_ptr<const S3Changes> changes_;
  const bool keeps_past_;
  const bool is_single_writer_;
};

}  // namespace

std::shared_ptr<ObjectStore> MakeS3Store(std::shared_ptr<S3Client> client,
                                         const std::string& prefix, const S3StoreOptions& options) {
  return std::make_shared<S3Store>(std::make_shared<const S3Bucket>(std::move(client), prefix),
                                   options);
}

}  // namespace hangar
