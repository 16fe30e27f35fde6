#include "app/memory_plan.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

constexpr int64_t kMiB = 1 << 20;

TEST(MemoryPlan, LeavesRoomForWhatIsNotCounted) {
  const auto small = PlanMemory({.bytes = 256 * kMiB}, {.bytes = 1'024 * kMiB}).ValueOrDie();
  EXPECT_EQ(small.counted_bytes, 128 * kMiB);
  EXPECT_LT(small.counted_bytes + small.connection_bytes, 256 * kMiB);
  EXPECT_LT(small.cache_bytes, small.counted_bytes) << "however large a cache was asked for";
  const auto large = PlanMemory({.bytes = 8'192 * kMiB}, {.bytes = 1'024 * kMiB}).ValueOrDie();
  EXPECT_GT(large.counted_bytes, 6'000 * kMiB);
  EXPECT_EQ(large.cache_bytes, 1'024 * kMiB);
}

TEST(MemoryPlan, APartOfASmallMachineIsEnoughToStartWith) {
  EXPECT_GE(PlanMemory({.percent = 1}, {}).ValueOrDie().limit_bytes, 128 * kMiB);
}

TEST(MemoryPlan, RefusesALimitThatIsTooLowToWorkWith) {
  EXPECT_EQ(KindOf(PlanMemory({.bytes = 127 * kMiB}, {}).status()), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(PlanMemory({}, {}).status()), ErrorKind::kInvalidArgument);
  EXPECT_TRUE(PlanMemory({.bytes = 128 * kMiB}, {}).ok());
}

}  // namespace
}  // namespace hangar
