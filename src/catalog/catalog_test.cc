#include "catalog/catalog.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/worker_pool.h"
#include "store/memory_store.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CatalogTest : public ::testing::Test {
 protected:
  static DatasetName Name(const std::string& name) { return DatasetName::Parse(name).ValueOrDie(); }

  std::vector<std::string> List(DatasetFilter filter) {
    std::vector<std::string> names;
    auto lister = catalog_.List(std::move(filter), &workers_).ValueOrDie();
    while (auto snapshot = lister->Next().ValueOrDie()) names.push_back(snapshot->object.key);
    return names;
  }

  WorkerPool workers_{2};
  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  Catalog catalog_{store_, logger_, /*footer_cache_bytes=*/16 << 20};
};

TEST_F(CatalogTest, DescribesTheCurrentVersion) {
  const ObjectInfo first = StoreNumbered(*store_, "a", 10);
  EXPECT_EQ(catalog_.Describe(Name("a"), std::nullopt)->footer->rows, 10);
  const ObjectInfo second = StoreNumbered(*store_, "a", 20);
  const auto snapshot = catalog_.Describe(Name("a"), std::nullopt);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(snapshot->footer->rows, 20);
  EXPECT_EQ(snapshot->object.version, second.version);
  EXPECT_NE(first.version, second.version);
}

TEST_F(CatalogTest, AVersionIsFoundAsLongAsItIsKept) {
  const ObjectInfo first = StoreNumbered(*store_, "a", 10);
  StoreNumbered(*store_, "a", 20);
  EXPECT_EQ(catalog_.Open(Name("a"), first.version)->snapshot.footer->rows, 10);
  EXPECT_EQ(catalog_.Describe(Name("a"), first.version)->footer->rows, 10);
  EXPECT_TRUE(catalog_.Describe(Name("a"), first.version)->retired);
  EXPECT_TRUE(store_->Delete("a", Precondition::None()).ok());
  EXPECT_EQ(catalog_.Describe(Name("a"), first.version)->footer->rows, 10);
  EXPECT_EQ(catalog_.Versions(Name("a"))->size(), 2U);
}

TEST_F(CatalogTest, AVersionThatIsGoneIsNotFoundAndSaysToAskAgain) {
  const ObjectInfo first = StoreNumbered(*store_, "a", 10);
  EXPECT_TRUE(catalog_.Open(Name("a"), first.version).ok());
  StoreNumbered(*store_, "a", 20);
  EXPECT_TRUE(store_->PurgeRetired(store_->ListRetired("a")->at(0)).ok());
  for (const arrow::Status& status : {catalog_.Open(Name("a"), first.version).status(),
                                      catalog_.Describe(Name("a"), first.version).status()}) {
    EXPECT_EQ(KindOf(status), ErrorKind::kNotFound);
    EXPECT_THAT(status.message(), HasSubstr("ask for it again"));
  }
  EXPECT_EQ(KindOf(catalog_.Open(Name("b"), std::nullopt).status()), ErrorKind::kNotFound);
}

TEST_F(CatalogTest, AnOpenSnapshotOutlivesItsDataset) {
  StoreNumbered(*store_, "a", 10);
  const auto open = catalog_.Open(Name("a"), std::nullopt);
  ASSERT_TRUE(open.ok());
  ASSERT_TRUE(store_->Delete("a", Precondition::None()).ok());
  char magic[4];
  ASSERT_TRUE(open->reader->ReadAt(0, 4, magic).ok());
  EXPECT_EQ(std::string(magic, 4), "PAR1");
}

TEST_F(CatalogTest, ListsInOrderWithPrefixGlobAfterAndLimit) {
  for (const char* name : {"b", "a/2", "a/1", "c/x/1", "a.b"}) StoreNumbered(*store_, name, 1);
  EXPECT_THAT(List({}), ElementsAre("a.b", "a/1", "a/2", "b", "c/x/1"));
  EXPECT_THAT(List({.prefix = "a/"}), ElementsAre("a/1", "a/2"));
  EXPECT_THAT(List({.glob = "*"}), ElementsAre("a.b", "b"));
  EXPECT_THAT(List({.glob = "**1"}), ElementsAre("a/1", "c/x/1"));
  EXPECT_THAT(List({.after = "a/1"}), ElementsAre("a/2", "b", "c/x/1"));
  EXPECT_THAT(List({.after = "a.b", .limit = 2}), ElementsAre("a/1", "a/2"));
  EXPECT_THAT(List({.limit = 0}), ElementsAre());
}

TEST_F(CatalogTest, AFileThatIsNotParquetIsLeftOutAndLoggedOnce) {
  StoreNumbered(*store_, "a", 1);
  StoreBytes(*store_, "bad", "not a table");
  StoreNumbered(*store_, "c", 1);
  EXPECT_THAT(List({}), ElementsAre("a", "c"));
  EXPECT_THAT(List({}), ElementsAre("a", "c"));
  EXPECT_THAT(logger_->lines(), ElementsAre(HasSubstr("'bad' is not a Parquet file")));
  EXPECT_EQ(KindOf(catalog_.Describe(Name("bad"), std::nullopt).status()), ErrorKind::kDataLoss);
  // The name can be used again at once.
  StoreNumbered(*store_, "bad", 1);
  EXPECT_THAT(List({}), ElementsAre("a", "bad", "c"));
}

// Counts how often files are opened.
class CountingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    ++opened;
    return ForwardingStore::Open(key);
  }

  int opened = 0;
};

TEST_F(CatalogTest, AFooterIsReadOncePerVersion) {
  const auto counting = std::make_shared<CountingStore>(store_);
  Catalog catalog(counting, logger_, /*footer_cache_bytes=*/16 << 20);
  StoreNumbered(*store_, "a", 10);
  StoreBytes(*store_, "bad", "not a table");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(catalog.Describe(Name("a"), std::nullopt).ok());
    ASSERT_FALSE(catalog.Describe(Name("bad"), std::nullopt).ok());
  }
  EXPECT_EQ(counting->opened, 2);
  StoreNumbered(*store_, "a", 20);
  ASSERT_EQ(catalog.Describe(Name("a"), std::nullopt)->footer->rows, 20);
  EXPECT_EQ(counting->opened, 3);
}

/// A store whose calls are requests, and what they were.
class RemoteStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  bool IsRemote() const override { return true; }
  arrow::Result<ObjectInfo> Stat(const std::string& key) override {
    asked.push_back("stat");
    return ForwardingStore::Stat(key);
  }
  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    asked.push_back("open");
    return ForwardingStore::Open(key);
  }
  arrow::Result<std::unique_ptr<ObjectReader>> OpenWithEnd(const std::string& key) override {
    asked.push_back("open with end");
    return ForwardingStore::Open(key);
  }
  std::vector<std::string> Asked() { return std::exchange(asked, {}); }

  std::vector<std::string> asked;
};

TEST_F(CatalogTest, OfARemoteStoreAnUnknownFooterComesWithItsObjectAndAKnownOneIsNotFetched) {
  const auto remote = std::make_shared<RemoteStore>(store_);
  Catalog catalog(remote, logger_, /*footer_cache_bytes=*/16 << 20);
  const std::string version = StoreNumbered(*store_, "a", 10).version;
  EXPECT_TRUE(catalog.Describe(Name("a"), std::nullopt).ok());
  EXPECT_THAT(remote->Asked(), ElementsAre("open with end"));
  EXPECT_TRUE(catalog.Describe(Name("a"), std::nullopt).ok());
  EXPECT_THAT(remote->Asked(), ElementsAre("stat"));
  EXPECT_TRUE(catalog.Open(Name("a"), version).ok());
  EXPECT_TRUE(catalog.Open(Name("a"), std::nullopt).ok());
  EXPECT_THAT(remote->Asked(), ElementsAre("open", "open"));
  StoreNumbered(*store_, "b", 10);
  EXPECT_TRUE(catalog.Open(Name("b"), std::nullopt).ok());
  EXPECT_THAT(remote->Asked(), ElementsAre("open with end"));
}

/// Objects that come over a network: the first reads of each bring a byte that is wrong.
class DamagingStore final : public ForwardingStore {
 public:
  DamagingStore(std::shared_ptr<ObjectStore> store, int damages)
      : ForwardingStore(std::move(store)), damages_(damages) {}

  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    ARROW_ASSIGN_OR_RAISE(auto reader, ForwardingStore::Open(key));
    return std::make_unique<Reader>(std::move(reader), damages_);
  }

 private:
  class Reader final : public ObjectReader {
   public:
    Reader(std::unique_ptr<ObjectReader> reader, int damages)
        : reader_(std::move(reader)), damages_(damages) {}
    const ObjectInfo& info() const override { return reader_->info(); }
    arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
      auto status = reader_->ReadAt(offset, length, out);
      if (damages_-- > 0) static_cast<char*>(out)[length - 1] ^= 1;
      return status;
    }
    bool DiscardReadBytes() override { return true; }

   private:
    const std::unique_ptr<ObjectReader> reader_;
    int damages_;
  };

  const int damages_;
};

TEST_F(CatalogTest, AFooterThatWasDamagedOnItsWayIsReadAgain) {
  StoreNumbered(*store_, "a", 10);
  Catalog once(std::make_shared<DamagingStore>(store_, 1), logger_, /*footer_cache_bytes=*/1 << 20);
  EXPECT_EQ(once.Describe(Name("a"), std::nullopt)->footer->rows, 10);
  EXPECT_THAT(logger_->lines(), ElementsAre());
  Catalog twice(std::make_shared<DamagingStore>(store_, 2), logger_, 1 << 20);
  EXPECT_EQ(KindOf(twice.Describe(Name("a"), std::nullopt).status()), ErrorKind::kDataLoss);
  EXPECT_THAT(logger_->lines(), ElementsAre(HasSubstr("'a' is not a Parquet file")));
}

}  // namespace
}  // namespace hangar
