#include "catalog/footer.h"

#include <random>
#include <string>

#include <arrow/type.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory_store.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

arrow::Result<std::shared_ptr<const Footer>> FooterOf(ObjectStore& store, const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, store.Open(name));
  return ReadFooter(*reader);
}

TEST(Footer, SaysWhatTheFileHolds) {
  const auto store = MakeMemoryStore();
  StoreNumbered(*store, "a", 2500, {.row_group_rows = 1000});
  const auto footer = FooterOf(*store, "a");
  ASSERT_TRUE(footer.ok()) << footer.status();
  EXPECT_EQ((*footer)->rows, 2500);
  EXPECT_EQ((*footer)->row_groups, 3);
  EXPECT_TRUE((*footer)->logical_schema->Equals(*NumberedSchema(), /*check_metadata=*/true));
}

TEST(Footer, ReadsFootersLargerThanTheFirstRead) {
  const auto store = MakeMemoryStore();
  StoreNumbered(*store, "a", 3000, {.row_group_rows = 5});  // 600 row groups: more than 64 KiB.
  const auto footer = FooterOf(*store, "a");
  ASSERT_TRUE(footer.ok()) << footer.status();
  EXPECT_GT((*footer)->memory_bytes, 8 * 64 * 1024);
  EXPECT_EQ((*footer)->rows, 3000);
}

TEST(Footer, RefusesWhatIsNotParquet) {
  const auto store = MakeMemoryStore();
  const std::string whole = [&] {
    StoreNumbered(*store, "whole", 100);
    return LoadBytes(*store, "whole");
  }();
  const std::string cases[] = {
      "",
      "PAR1",
      "PAR1PAR1",
      std::string("PAR1\xFF\xFF\xFF\xFFPAR1"),
      std::string("PAR1\0\0\0\0PAR1", 12),
      std::string(1000, 'x'),
      whole.substr(0, whole.size() / 2),
      whole.substr(whole.size() / 3),  // The footer is whole, what it points to is not.
      whole.substr(0, whole.size() - 1),
      whole.substr(0, whole.size() - 4) + "PARE",
  };
  for (const std::string& bytes : cases) {
    StoreBytes(*store, "bad", bytes);
    const auto footer = FooterOf(*store, "bad");
    ASSERT_FALSE(footer.ok());
    EXPECT_EQ(KindOf(footer.status()), ErrorKind::kDataLoss) << footer.status();
    EXPECT_NE(footer.status().message().find("'bad' is not a Parquet file"), std::string::npos);
  }
}

TEST(Footer, SurvivesEveryMutationOfItsBytes) {
  const auto store = MakeMemoryStore();
  StoreNumbered(*store, "whole", 50, {.row_group_rows = 10});
  const std::string whole = LoadBytes(*store, "whole");
  std::mt19937 random(20261122);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string mutated = whole;
    // The last quarter of so small a file is its footer.
    const size_t begin = mutated.size() / 4;
    for (int flips = 0; flips < 1 + i % 4; ++flips) {
      mutated[begin + random() % (mutated.size() - begin)] ^= static_cast<char>(1 << random() % 8);
    }
    StoreBytes(*store, "mutated", mutated);
    const auto footer = FooterOf(*store, "mutated");
    if (footer.ok()) {
      EXPECT_GE((*footer)->rows, 0);
      EXPECT_NE((*footer)->logical_schema, nullptr);
    } else {
      EXPECT_EQ(KindOf(footer.status()), ErrorKind::kDataLoss) << footer.status();
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace hangar
