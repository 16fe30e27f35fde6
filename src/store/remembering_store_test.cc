#include "store/remembering_store.h"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "store/memory_store.h"
#include "tests/support/forwarding_store.h"

namespace hangar {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// Counts how often it is asked for what is at a key.
class CountingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  arrow::Result<ObjectInfo> Stat(const std::string& key) override {
    ++looks;
    return ForwardingStore::Stat(key);
  }
  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    ++looks;
    return ForwardingStore::Open(key);
  }
  int looks = 0;
};

class RememberingStoreTest : public ::testing::Test {
 protected:
  static std::string Put(ObjectStore& store, const std::string& key, const std::string& bytes) {
    auto staged = *store.Stage({});
    EXPECT_TRUE(staged->Append(bytes.data(), std::ssize(bytes)).ok());
    EXPECT_TRUE(staged->Seal().ok());
    return staged->Publish(key, Precondition::None())->version;
  }

  const std::shared_ptr<ObjectStore> behind_ = MakeMemoryStore();
  const std::shared_ptr<CountingStore> counted_ = std::make_shared<CountingStore>(behind_);
  const std::shared_ptr<ObjectStore> store_ = RememberVersions(counted_, hours(1));
};

TEST_F(RememberingStoreTest, AsksOnceForWhatItWasTold) {
  const std::string version = Put(*behind_, "a", "1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(store_->Stat("a")->version, version);
  EXPECT_EQ(counted_->looks, 1);
}

TEST_F(RememberingStoreTest, WhatIsNotThereIsAskedForEachTime) {
  EXPECT_FALSE(store_->Stat("a").ok());
  const std::string version = Put(*behind_, "a", "1");
  EXPECT_EQ(store_->Stat("a")->version, version);
}

TEST_F(RememberingStoreTest, AChangeByOthersIsSeenOnceTheTimeIsOver) {
  const auto store = RememberVersions(counted_, milliseconds(0));
  Put(*behind_, "a", "1");
  EXPECT_TRUE(store->Stat("a").ok());
  const std::string version = Put(*behind_, "a", "2");
  EXPECT_EQ(store->Stat("a")->version, version);
}

TEST_F(RememberingStoreTest, ChangesThroughItAreSeenAtOnce) {
  Put(*behind_, "a", "1");
  EXPECT_TRUE(store_->Stat("a").ok());
  const std::string second = Put(*store_, "a", "2");
  EXPECT_EQ(store_->Stat("a")->version, second);
  const auto renamed = store_->Rename("a", "b", Precondition::None(), Precondition::None());
  ASSERT_TRUE(renamed.ok());
  EXPECT_FALSE(store_->Stat("a").ok());
  EXPECT_EQ(store_->Stat("b")->version, renamed->version);
  ASSERT_TRUE(store_->Delete("b", Precondition::None()).ok());
  EXPECT_FALSE(store_->Stat("b").ok());
  ASSERT_TRUE(store_->RestoreRetired("b", renamed->version, Precondition::Absent()).ok());
  EXPECT_TRUE(store_->Stat("b").ok());
}

TEST_F(RememberingStoreTest, AVersionThatOneKnowsToBeOldIsForgotten) {
  Put(*behind_, "a", "1");
  EXPECT_TRUE(store_->Stat("a").ok());
  const std::string version = Put(*behind_, "a", "2");
  store_->Forget("a");
  EXPECT_EQ(store_->Stat("a")->version, version);
}

}  // namespace
}  // namespace hangar
