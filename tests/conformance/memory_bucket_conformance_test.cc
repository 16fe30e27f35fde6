#include <memory>
#include <string>

#include "store/s3_layout.h"
#include "store/s3_store.h"
#include "store_conformance.h"
#include "tests/support/memory_bucket.h"

// The S3 store on a bucket without a server: one that decides between writers, and one that does
// not, whose only writer has to.

namespace hangar {
namespace {

class MemoryBucketFixture final : public StoreFixture {
 public:
  explicit MemoryBucketFixture(bool is_single_writer)
      : is_single_writer_(is_single_writer),
        bucket_(std::make_shared<MemoryBucket>(
            MemoryBucket::Options{.keeps_conditions = !is_single_writer})) {}

  std::shared_ptr<ObjectStore> OpenStore() override {
    return MakeS3Store(bucket_, kPrefix, {.is_single_writer = is_single_writer_});
  }

  int64_t CountStaged() override {
    const auto staged =
        bucket_->List({.prefix = kPrefix + std::string(kS3Staging)}).ValueOrDie().objects.size();
    return static_cast<int64_t>(staged + bucket_->ListUploads("").ValueOrDie().size());
  }

 private:
  inline static const std::string kPrefix = "some/prefix/";

  const bool is_single_writer_;
  const std::shared_ptr<MemoryBucket> bucket_;
};

StoreKind KindOf(const std::string& name, bool is_single_writer) {
  return {.name = name,
          .make = [=] { return std::make_unique<MemoryBucketFixture>(is_single_writer); },
          .rename_keeps_version = true,
          .versions_are_of_content = true,
          .renames_in_one_step = false,
          .readers_outlive_purge = false};
}

INSTANTIATE_TEST_SUITE_P(MemoryBucket, StoreConformance,
                         ::testing::Values(KindOf("decides", false),
                                           KindOf("has_one_writer", true)));

}  // namespace
}  // namespace hangar
