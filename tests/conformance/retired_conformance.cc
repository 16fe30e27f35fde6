// What store/object_store.h says of retired versions, as tests of every store.

#include <chrono>
#include <string>
#include <vector>

#include "store/test_support.h"
#include "store_conformance.h"

namespace hangar {
namespace {

std::vector<std::string> RetiredBytesOf(ObjectStore& store, const std::string& key) {
  std::vector<std::string> bytes;
  for (const RetiredObject& retired : store.ListRetired(key).ValueOrDie()) {
    const auto reader = store.OpenRetired(key, retired.object.version).ValueOrDie();
    bytes.push_back(ReadBytes(*reader).ValueOrDie());
  }
  return bytes;
}

std::vector<std::string> RetiredKeys(ObjectStore& store, const ListOptions& options = {}) {
  std::vector<std::string> keys;
  const auto lister = store.ListRetiredKeys(options).ValueOrDie();
  while (auto key = lister->Next().ValueOrDie()) keys.push_back(*std::move(key));
  return keys;
}

TEST_P(StoreConformance, NothingIsRetiredAtTheStart) {
  EXPECT_TRUE(store().ListRetired("a").ValueOrDie().empty());
  EXPECT_TRUE(RetiredKeys(store()).empty());
  ExpectError(ErrorKind::kNotFound, store().OpenRetired("a", "v"));
  ExpectError(ErrorKind::kNotFound, store().HoldRetired("a", "v", Timestamp()));
  ExpectError(ErrorKind::kNotFound, store().RestoreRetired("a", "v", Precondition::None()));
  PutBytes(store(), "a", "1").ValueOrDie();
  EXPECT_TRUE(store().ListRetired("a").ValueOrDie().empty());
}

TEST_P(StoreConformance, WhatIsReplacedIsRetiredWithItsVersion) {
  const ObjectInfo first = PutBytes(store(), "a/b", "1").ValueOrDie();
  const ObjectInfo second = PutBytes(store(), "a/b", "2").ValueOrDie();
  PutBytes(store(), "a/b", "3").ValueOrDie();
  const auto retired = store().ListRetired("a/b").ValueOrDie();
  ASSERT_EQ(retired.size(), 2U);
  EXPECT_EQ(retired[0].object.version, second.version);
  EXPECT_EQ(retired[1].object.version, first.version);
  EXPECT_EQ(retired[1].object.key, "a/b");
  EXPECT_EQ(retired[1].object.size_bytes, 1);
  EXPECT_EQ(retired[1].object.modified, first.modified);
  EXPECT_EQ(retired[0].by, RetiredBy::kReplaced);
  EXPECT_GE(retired[0].retired, retired[1].retired);
  EXPECT_GE(retired[1].retired, first.modified);
  EXPECT_EQ(RetiredBytesOf(store(), "a/b"), (std::vector<std::string>{"2", "1"}));
  EXPECT_EQ(GetBytes(store(), "a/b").ValueOrDie(), "3");
  EXPECT_EQ(ListKeys(store()).ValueOrDie(), std::vector<std::string>{"a/b"});
}

TEST_P(StoreConformance, WhatIsDroppedIsRetired) {
  const ObjectInfo info = PutBytes(store(), "a", "1").ValueOrDie();
  ExpectOk(store().Delete("a", Precondition::None()));
  const auto retired = store().ListRetired("a").ValueOrDie();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].by, RetiredBy::kDropped);
  EXPECT_EQ(store().OpenRetired("a", info.version).ValueOrDie()->info().version, info.version);
  ExpectError(ErrorKind::kNotFound, store().Open("a"));
  EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
}

TEST_P(StoreConformance, ARenameRetiresBothOfItsKeys) {
  const ObjectInfo moved = PutBytes(store(), "a", "moved").ValueOrDie();
  PutBytes(store(), "b", "replaced").ValueOrDie();
  ASSERT_TRUE(store().Rename("a", "b", Precondition::None(), Precondition::None()).ok());
  const auto from = store().ListRetired("a").ValueOrDie();
  ASSERT_EQ(from.size(), 1U);
  EXPECT_EQ(from[0].by, RetiredBy::kRenamed);
  EXPECT_EQ(from[0].object.version, moved.version);
  EXPECT_EQ(RetiredBytesOf(store(), "a"), std::vector<std::string>{"moved"});
  EXPECT_EQ(RetiredBytesOf(store(), "b"), std::vector<std::string>{"replaced"});
  EXPECT_EQ(store().ListRetired("b").ValueOrDie()[0].by, RetiredBy::kReplaced);
  // It lives on elsewhere, so there is nothing to bring back.
  ExpectError(ErrorKind::kNotFound,
              store().RestoreRetired("a", moved.version, Precondition::None()));
}

TEST_P(StoreConformance, AChangeThatFailsRetiresNothing) {
  PutBytes(store(), "a", "1").ValueOrDie();
  PutBytes(store(), "b", "2").ValueOrDie();
  const auto staged = StageBytes(store(), "3").ValueOrDie();
  ExpectError(ErrorKind::kAlreadyExists, staged->Publish("a", Precondition::Absent()));
  ExpectError(ErrorKind::kFailedPrecondition, staged->Publish("a", Precondition::Version("x")));
  ExpectError(ErrorKind::kFailedPrecondition, store().Delete("a", Precondition::Version("x")));
  ExpectError(ErrorKind::kAlreadyExists,
              store().Rename("a", "b", Precondition::None(), Precondition::Absent()));
  ExpectOk(store().Rename("a", "a", Precondition::None(), Precondition::None()));
  EXPECT_TRUE(RetiredKeys(store()).empty());
}

TEST_P(StoreConformance, ARetiredVersionComesBackAsItself) {
  const ObjectInfo first = PutBytes(store(), "a", "1").ValueOrDie();
  const ObjectInfo second = PutBytes(store(), "a", "2").ValueOrDie();
  const ObjectInfo restored =
      store()
          .RestoreRetired("a", first.version, Precondition::Version(second.version))
          .ValueOrDie();
  EXPECT_EQ(restored.key, "a");
  EXPECT_EQ(restored.version, first.version);
  EXPECT_EQ(store().Stat("a").ValueOrDie().version, first.version);
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "1");
  const auto retired = store().ListRetired("a").ValueOrDie();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].object.version, second.version);
}

TEST_P(StoreConformance, RestoringHoldsItsPreconditionAndChangesNothingOtherwise) {
  const ObjectInfo first = PutBytes(store(), "a", "1").ValueOrDie();
  const ObjectInfo second = PutBytes(store(), "a", "2").ValueOrDie();
  ExpectError(ErrorKind::kAlreadyExists,
              store().RestoreRetired("a", first.version, Precondition::Absent()));
  ExpectError(ErrorKind::kFailedPrecondition,
              store().RestoreRetired("a", first.version, Precondition::Version("x")));
  ExpectError(ErrorKind::kNotFound, store().RestoreRetired("a", "x", Precondition::None()));
  EXPECT_EQ(store().Stat("a").ValueOrDie().version, second.version);
  // What stands there is there.
  EXPECT_EQ(store().RestoreRetired("a", second.version, Precondition::None()).ValueOrDie().version,
            second.version);
  EXPECT_EQ(RetiredBytesOf(store(), "a"), std::vector<std::string>{"1"});
}

TEST_P(StoreConformance, ADroppedObjectComesBackWithItsFolders) {
  const ObjectInfo info = PutBytes(store(), "a/b/c", "1").ValueOrDie();
  ExpectOk(store().Delete("a/b/c", Precondition::None()));
  ASSERT_TRUE(store().RestoreRetired("a/b/c", info.version, Precondition::Absent()).ok());
  EXPECT_EQ(GetBytes(store(), "a/b/c").ValueOrDie(), "1");
  EXPECT_TRUE(RetiredKeys(store()).empty());
}

TEST_P(StoreConformance, PurgingRemovesOneRetiredVersion) {
  PutBytes(store(), "a", "1").ValueOrDie();
  PutBytes(store(), "a", "2").ValueOrDie();
  PutBytes(store(), "a", "3").ValueOrDie();
  const auto retired = store().ListRetired("a").ValueOrDie();
  const auto reader = store().OpenRetired("a", retired[1].object.version).ValueOrDie();
  ExpectOk(store().PurgeRetired(retired[1]));
  ExpectOk(store().PurgeRetired(retired[1]));
  EXPECT_EQ(RetiredBytesOf(store(), "a"), std::vector<std::string>{"2"});
  ExpectError(ErrorKind::kNotFound, store().OpenRetired("a", retired[1].object.version));
  if (GetParam().readers_outlive_purge) {
    EXPECT_EQ(ReadBytes(*reader).ValueOrDie(), "1");
  } else {
    ExpectError(ErrorKind::kNotFound, ReadBytes(*reader));
  }
  ExpectOk(store().PurgeRetired(retired[0]));
  EXPECT_TRUE(RetiredKeys(store()).empty());
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "3");
}

TEST_P(StoreConformance, WhatIsHeldIsNotPurgedByOneWhoDidNotKnow) {
  PutBytes(store(), "a", "1").ValueOrDie();
  PutBytes(store(), "a", "2").ValueOrDie();
  const RetiredObject before = store().ListRetired("a").ValueOrDie()[0];
  const Timestamp until = before.retired + std::chrono::hours(1);
  ExpectOk(store().HoldRetired("a", before.object.version, until));
  ExpectOk(store().PurgeRetired(before));
  // A shorter hold takes nothing away.
  ExpectOk(store().HoldRetired("a", before.object.version, before.retired));
  const RetiredObject held = store().ListRetired("a").ValueOrDie()[0];
  EXPECT_EQ(held.held_until, until);
  EXPECT_EQ(held.retired, before.retired);
  EXPECT_EQ(RetiredBytesOf(store(), "a"), std::vector<std::string>{"1"});
  ExpectOk(store().PurgeRetired(held));
  EXPECT_TRUE(RetiredKeys(store()).empty());
}

TEST_P(StoreConformance, TheKeysWithRetiredVersionsComeInOrder) {
  for (const char* key : {"b/c", "b-c", "a", "d/e/f", "b0"}) {
    PutBytes(store(), key, "1").ValueOrDie();
    ExpectOk(store().Delete(key, Precondition::None()));
  }
  PutBytes(store(), "not/retired", "1").ValueOrDie();
  PutBytes(store(), "b", "1").ValueOrDie();
  ExpectOk(store().Delete("b", Precondition::None()));
  using Keys = std::vector<std::string>;
  EXPECT_EQ(RetiredKeys(store()), (Keys{"a", "b", "b-c", "b/c", "b0", "d/e/f"}));
  EXPECT_EQ(RetiredKeys(store(), {.prefix = "b", .after = "b-c"}), (Keys{"b/c", "b0"}));
  EXPECT_EQ(RetiredKeys(store(), {.prefix = "d/", .after = {}}), (Keys{"d/e/f"}));
}

}  // namespace
}  // namespace hangar
