#include "store/memory_store.h"
#include "store_conformance.h"

namespace hangar {
namespace {

class MemoryFixture final : public StoreFixture {
 public:
  std::shared_ptr<ObjectStore> OpenStore() override { return MakeMemoryStore(); }
  // What is staged in memory goes with the object that holds it.
  int64_t CountStaged() override { return 0; }
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         ::testing::Values(StoreKind{
                             .name = "memory",
                             .make = [] { return std::make_unique<MemoryFixture>(); },
                             .rename_keeps_version = true,
                         }));

}  // namespace
}  // namespace hangar
