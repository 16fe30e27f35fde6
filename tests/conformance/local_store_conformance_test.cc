#include <filesystem>
#include <iterator>

#include "store/local_store.h"
#include "store/test_support.h"
#include "store_conformance.h"

namespace hangar {
namespace {

class LocalFixture final : public StoreFixture {
 public:
  std::shared_ptr<ObjectStore> OpenStore() override {
    return LocalStore::Make(folder_.string()).ValueOrDie();
  }

  int64_t CountStaged() override {
    const std::filesystem::directory_iterator entries(folder_.path() / "_hangar" / "staging");
    return std::distance(begin(entries), end(entries));
  }

 private:
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Local, StoreConformance,
                         ::testing::Values(StoreKind{
                             .name = "local",
                             .make = [] { return std::make_unique<LocalFixture>(); },
                             .rename_keeps_version = true,
                             .has_folders = true,
                         }));

}  // namespace
}  // namespace hangar
