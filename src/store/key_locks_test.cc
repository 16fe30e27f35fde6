#include "store/key_locks.h"

#include <fcntl.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "store/test_support.h"

namespace hangar {
namespace {

class KeyLocksTest : public ::testing::Test {
 protected:
  // Each has the file open for itself, as two processes have.
  std::unique_ptr<KeyLocks> Open() {
    auto file = OpenBeneath(root_->get(), "lock", O_RDWR | O_CREAT, 0600);
    return std::make_unique<KeyLocks>(std::move(*file));
  }

  TemporaryFolder folder_;
  OrErrno<UniqueDescriptor> root_ = OpenEntry(AT_FDCWD, folder_.string(), O_RDONLY | O_DIRECTORY);
};

TEST_F(KeyLocksTest, OneHolderOfAKeyAtATimeHoweverItIsOpened) {
  const std::vector<std::unique_ptr<KeyLocks>> openings = [this] {
    std::vector<std::unique_ptr<KeyLocks>> two;
    two.push_back(Open());
    two.push_back(Open());
    return two;
  }();
  std::atomic<int> inside = 0;
  std::atomic<int> entered = 0;
  std::atomic<int> met_others = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        const auto held = openings[static_cast<size_t>(i) % 2]->Lock("key");
        ExpectOk(held);
        if (++inside != 1) ++met_others;
        ++entered;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(entered, 6 * 200);
  EXPECT_EQ(met_others, 0);
}

TEST_F(KeyLocksTest, PairsInAnyOrderDoNotWaitForEachOther) {
  const auto first = Open();
  const auto second = Open();
  std::atomic<int> entered = 0;
  const auto work = [&](KeyLocks& locks, int salt) {
    for (int round = 0; round < 500; ++round) {
      const std::string a = std::to_string((round * salt) % 97);
      const std::string b = std::to_string((round + salt) % 89);
      const auto held = locks.Lock(a, b);
      ExpectOk(held);
      ++entered;
    }
  };
  std::vector<std::thread> threads;
  for (int salt : {1, 7, 31}) {
    threads.emplace_back([&, salt] { work(*first, salt); });
    threads.emplace_back([&, salt] { work(*second, salt + 1); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(entered, 6 * 500);
}

TEST_F(KeyLocksTest, AKeyPairedWithItselfIsTakenOnce) {
  const auto locks = Open();
  {
    ExpectOk(locks->Lock("key", "key"));
  }
  ExpectOk(locks->Lock("key"));
}

}  // namespace
}  // namespace hangar
