#include "config/process_memory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace hangar {
namespace {

class ControlGroupLimitTest : public ::testing::Test {
 protected:
  ControlGroupLimitTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "hangar-memory-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(root_ / "outer/inner");
  }
  ~ControlGroupLimitTest() override { std::filesystem::remove_all(root_); }

  void Limit(const std::string& group, const std::string& text) {
    std::ofstream(root_ / group / "memory.max") << text << "\n";
  }

  std::filesystem::path root_;
};

TEST_F(ControlGroupLimitTest, TheTightestOfAGroupAndThoseAboveItCounts) {
  Limit("outer", "2000000");
  Limit("outer/inner", "3000000");
  EXPECT_EQ(ControlGroupLimit(root_, "/outer/inner"), 2'000'000);
  Limit("outer/inner", "1000000");
  EXPECT_EQ(ControlGroupLimit(root_, "/outer/inner"), 1'000'000);
}

TEST_F(ControlGroupLimitTest, WithoutALimitThereIsNone) {
  Limit("outer/inner", "max");
  EXPECT_EQ(ControlGroupLimit(root_, "/outer/inner"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ControlGroupLimit(root_, "/"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ControlGroupLimit(root_, ""), std::numeric_limits<int64_t>::max());
}

TEST(ProcessMemory, PartsAreOfWhatTheProcessMayUse) {
  EXPECT_GT(ProcessMemoryBytes(), 16LL << 20);
  EXPECT_EQ(BytesOf({.bytes = 5}), 5);
  EXPECT_EQ(BytesOf({.percent = 50}), ProcessMemoryBytes() / 100 * 50);
}

}  // namespace
}  // namespace hangar
