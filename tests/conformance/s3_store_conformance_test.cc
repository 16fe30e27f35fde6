#include <cstdlib>
#include <format>
#include <random>
#include <string>
#include <utility>

#include "s3/s3_client.h"
#include "s3/s3_location.h"
#include "store/s3_layout.h"
#include "store/s3_store.h"
#include "store/test_support.h"
#include "store_conformance.h"
#include "tests/support/recording_logger.h"

// On a real S3 server: HANGAR_S3_URI names a bucket, as for `hangar serve --data`.

namespace hangar {
namespace {

class S3Fixture final : public StoreFixture {
 public:
  S3Fixture() {
    S3Location location = ParseS3Location(std::getenv("HANGAR_S3_URI")).ValueOrDie();
    std::random_device random;
    prefix_ = std::format("{}conformance-{:08x}{:08x}/", location.prefix, random(), random());
    client_ = S3Client::Make(location, std::make_shared<RecordingLogger>(), nullptr).ValueOrDie();
  }

  std::shared_ptr<ObjectStore> OpenStore() override { return MakeS3Store(client_, prefix_, {}); }

  int64_t CountStaged() override {
    const auto staged =
        client_->List({.prefix = prefix_ + std::string(kS3Staging)}).ValueOrDie().objects.size();
    return static_cast<int64_t>(staged + client_->ListUploads(prefix_).ValueOrDie().size());
  }

 private:
  std::string prefix_;
  std::shared_ptr<S3Client> client_;
};

std::vector<StoreKind> Kinds() {
  if (std::getenv("HANGAR_S3_URI") == nullptr) return {};
  return {StoreKind{.name = "s3",
                    .make = [] { return std::make_unique<S3Fixture>(); },
                    .rename_keeps_version = true,
                    .versions_are_of_content = true,
                    .renames_in_one_step = false,
                    .readers_outlive_purge = false}};
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);
INSTANTIATE_TEST_SUITE_P(S3, StoreConformance, ::testing::ValuesIn(Kinds()));

}  // namespace
}  // namespace hangar
