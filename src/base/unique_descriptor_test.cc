#include "base/unique_descriptor.h"

#include <fcntl.h>

#include <utility>

#include <gtest/gtest.h>

namespace hangar {
namespace {

UniqueDescriptor OpenOne() { return UniqueDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool IsOpen(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

TEST(UniqueDescriptor, IsClosedAtTheEnd) {
  int number = -1;
  {
    const UniqueDescriptor file = OpenOne();
    ASSERT_TRUE(file.is_open());
    number = file.get();
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(UniqueDescriptor, GoesWithTheOneItIsMovedTo) {
  UniqueDescriptor from = OpenOne();
  const int number = from.get();
  UniqueDescriptor to(std::move(from));
  EXPECT_EQ(to.get(), number);
  UniqueDescriptor last;
  EXPECT_FALSE(last.is_open());
  last = std::move(to);
  EXPECT_EQ(last.get(), number);
  EXPECT_TRUE(IsOpen(number));
}

TEST(UniqueDescriptor, StaysOpenOnceItIsReleased) {
  UniqueDescriptor file = OpenOne();
  const UniqueDescriptor other(file.release());
  EXPECT_FALSE(file.is_open());
  EXPECT_TRUE(IsOpen(other.get()));
}

TEST(UniqueDescriptor, LeavesTheReasonOfAFailureAlone) {
  const UniqueDescriptor none(::open("/no/such/file", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(none.is_open());
  // One that is no descriptor of this process: closing it fails, too.
  {
    const UniqueDescriptor wrong(1 << 30);
  }
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace hangar
