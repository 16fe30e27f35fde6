#include "store_conformance.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "store/test_support.h"

namespace hangar {
namespace {

constexpr int kRacers = 8;

// Runs `work(i)` for i below `kRacers`, all at once, and returns how many answered true.
template <typename Work>
int CountWinners(Work work) {
  std::atomic<int> winners = 0;
  std::atomic<bool> go = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < kRacers; ++i) {
    threads.emplace_back([&, i] {
      go.wait(false);
      if (work(i)) ++winners;
    });
  }
  go = true;
  go.notify_all();
  for (std::thread& thread : threads) thread.join();
  return winners;
}

TEST_P(StoreConformance, AnEmptyStoreHasNothing) {
  ExpectError(ErrorKind::kNotFound, store().Stat("a"));
  ExpectError(ErrorKind::kNotFound, store().Open("a"));
  ExpectError(ErrorKind::kNotFound, store().Stat("a/b/c.parquet"));
  ExpectError(ErrorKind::kNotFound, store().Delete("a", Precondition::None()));
  ExpectError(ErrorKind::kNotFound,
              store().Rename("a", "b", Precondition::None(), Precondition::None()));
  EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
}

TEST_P(StoreConformance, APublishedObjectIsDescribedAlikeByEveryCall) {
  const ObjectInfo info = PutBytes(store(), "sales/2026/eu.parquet", "bytes").ValueOrDie();
  EXPECT_EQ(info.key, "sales/2026/eu.parquet");
  EXPECT_EQ(info.size_bytes, 5);
  EXPECT_FALSE(info.version.empty());
  EXPECT_TRUE(std::ranges::all_of(info.version, [](char c) { return c > ' ' && c < 0x7F; }));
  EXPECT_GT(info.modified, Timestamp(std::chrono::seconds(1'600'000'000)));

  const auto same = [&](const ObjectInfo& other) {
    EXPECT_EQ(other.key, info.key);
    EXPECT_EQ(other.version, info.version);
    EXPECT_EQ(other.size_bytes, info.size_bytes);
    EXPECT_EQ(other.modified, info.modified);
  };
  same(store().Stat(info.key).ValueOrDie());
  same(store().Open(info.key).ValueOrDie()->info());
  const auto lister = store().List({}).ValueOrDie();
  same(lister->Next().ValueOrDie().value());
  EXPECT_FALSE(lister->Next().ValueOrDie().has_value());
  EXPECT_FALSE(lister->Next().ValueOrDie().has_value());
}

TEST_P(StoreConformance, AnObjectIsSeenOnlyOnceItIsPublished) {
  const auto staged = store().Stage({}).ValueOrDie();
  ExpectOk(staged->Append("abc", 3));
  ExpectError(ErrorKind::kNotFound, store().Stat("a"));
  ExpectOk(staged->Seal());
  ExpectError(ErrorKind::kNotFound, store().Open("a"));
  EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
  ExpectOk(staged->Publish("a", Precondition::None()));
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "abc");
  EXPECT_EQ(CountStaged(), 0);
}

TEST_P(StoreConformance, WhatIsNotPublishedLeavesNothing) {
  {
    const auto growing = store().Stage({}).ValueOrDie();
    ExpectOk(growing->Append("abc", 3));
    const auto sealed = StageBytes(store(), "def").ValueOrDie();
    const auto untouched = store().Stage({}).ValueOrDie();
  }
  EXPECT_EQ(CountStaged(), 0);
  EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
}

TEST_P(StoreConformance, AStagedObjectIsReadBackBeforeItIsPublished) {
  const auto staged = StageBytes(store(), "0123456789").ValueOrDie();
  EXPECT_EQ(staged->size_bytes(), 10);
  const auto reader = staged->OpenSealed().ValueOrDie();
  EXPECT_EQ(reader->info().key, "");
  EXPECT_EQ(reader->info().size_bytes, 10);
  EXPECT_EQ(ReadBytes(*reader).ValueOrDie(), "0123456789");
  const ObjectInfo info = staged->Publish("a", Precondition::None()).ValueOrDie();
  EXPECT_EQ(info.version, reader->info().version);
  EXPECT_EQ(ReadBytes(*reader).ValueOrDie(), "0123456789");
}

TEST_P(StoreConformance, AStagedObjectRefusesCallsOutOfOrder) {
  const auto staged = store().Stage({}).ValueOrDie();
  ExpectError(ErrorKind::kInternal, staged->OpenSealed());
  ExpectError(ErrorKind::kInternal, staged->Publish("a", Precondition::None()));
  ExpectOk(staged->Seal());
  ExpectError(ErrorKind::kInternal, staged->Seal());
  ExpectError(ErrorKind::kInternal, staged->Append("x", 1));
  ExpectOk(staged->Publish("a", Precondition::None()));
  ExpectError(ErrorKind::kInternal, staged->Publish("b", Precondition::None()));
  EXPECT_EQ(ListKeys(store()).ValueOrDie(), std::vector<std::string>{"a"});
}

TEST_P(StoreConformance, AnEmptyObjectIsAnObject) {
  EXPECT_EQ(PutBytes(store(), "empty", "").ValueOrDie().size_bytes, 0);
  const auto reader = store().Open("empty").ValueOrDie();
  char byte = 0;
  ExpectOk(reader->ReadAt(0, 0, &byte));
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(0, 1, &byte));
}

TEST_P(StoreConformance, ALargeObjectInOddPiecesComesBackWhole) {
  std::string bytes;
  for (uint32_t i = 0; bytes.size() < (5u << 20) + 13; ++i)
    bytes += std::to_string(i * 2654435761u);
  const auto staged = store().Stage({}).ValueOrDie();
  size_t piece = 1;
  for (size_t at = 0; at < bytes.size(); at += piece, piece = piece * 3 % 1'000'003 + 1) {
    piece = std::min(piece, bytes.size() - at);
    ExpectOk(staged->Append(bytes.data() + at, static_cast<int64_t>(piece)));
    EXPECT_EQ(staged->size_bytes(), static_cast<int64_t>(at + piece));
  }
  ExpectOk(staged->Append(nullptr, 0));
  ExpectOk(staged->Seal());
  ExpectOk(staged->Publish("large", Precondition::None()));
  EXPECT_TRUE(GetBytes(store(), "large").ValueOrDie() == bytes);

  const auto reader = store().Open("large").ValueOrDie();
  std::string range(100'001, '\0');
  ExpectOk(reader->ReadAt(1'234'567, 100'001, range.data()));
  EXPECT_TRUE(range == bytes.substr(1'234'567, 100'001));
}

TEST_P(StoreConformance, ARangeBeyondTheEndIsRefused) {
  ExpectOk(PutBytes(store(), "a", "0123456789"));
  const auto reader = store().Open("a").ValueOrDie();
  char out[16] = {};
  ExpectOk(reader->ReadAt(10, 0, out));
  ExpectOk(reader->ReadAt(9, 1, out));
  EXPECT_EQ(out[0], '9');
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(9, 2, out));
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(11, 0, out));
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(0, 11, out));
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(-1, 1, out));
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(0, -1, out));
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(1, INT64_MAX, out));
  ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(INT64_MAX, INT64_MAX, out));
}

TEST_P(StoreConformance, AReaderIsSharedByThreads) {
  ExpectOk(PutBytes(store(), "a", std::string(64 << 10, 'x') + "end"));
  const std::shared_ptr<ObjectReader> reader = store().Open("a").ValueOrDie();
  EXPECT_EQ(CountWinners([&](int i) {
              std::string out(3, '\0');
              return reader->ReadAt(i, 3, out.data()).ok() && out == "xxx" &&
                     reader->ReadAt(64 << 10, 3, out.data()).ok() && out == "end";
            }),
            kRacers);
}

TEST_P(StoreConformance, AReaderOutlivesReplacementAndDeletion) {
  ExpectOk(PutBytes(store(), "a", "first"));
  const auto first = store().Open("a").ValueOrDie();
  ExpectOk(PutBytes(store(), "a", "second, longer"));
  const auto second = store().Open("a").ValueOrDie();
  ExpectOk(store().Delete("a", Precondition::None()));
  ExpectOk(PutBytes(store(), "a", "third"));
  EXPECT_EQ(ReadBytes(*first).ValueOrDie(), "first");
  EXPECT_EQ(ReadBytes(*second).ValueOrDie(), "second, longer");
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "third");
}

TEST_P(StoreConformance, WhatWasOpenedOutlivesTheStore) {
  ExpectOk(PutBytes(store(), "a", "bytes"));
  const auto reader = store().Open("a").ValueOrDie();
  const auto lister = store().List({}).ValueOrDie();
  const auto staged = StageBytes(store(), "staged").ValueOrDie();
  store_.reset();
  EXPECT_EQ(ReadBytes(*reader).ValueOrDie(), "bytes");
  EXPECT_EQ(lister->Next().ValueOrDie()->key, "a");
  ExpectOk(staged->Publish("b", Precondition::Absent()));
}

TEST_P(StoreConformance, EqualBytesPublishedTwiceAreTwoVersions) {
  if (GetParam().versions_are_of_content) {
    const std::string version = PutBytes(store(), "a", "same").ValueOrDie().version;
    EXPECT_EQ(PutBytes(store(), "a", "same").ValueOrDie().version, version);
    return;
  }
  std::set<std::string> versions;
  for (int i = 0; i < 50; ++i) {
    versions.insert(PutBytes(store(), "a", "same").ValueOrDie().version);
    // The next one may be given all that this one had, inode and second included.
    if (i % 2 == 0) ExpectOk(store().Delete("a", Precondition::None()));
  }
  EXPECT_EQ(versions.size(), 50u);
}

TEST_P(StoreConformance, PublishKeepsItsPrecondition) {
  ExpectError(ErrorKind::kFailedPrecondition,
              PutBytes(store(), "a", "x", Precondition::Version("none")));
  ExpectError(ErrorKind::kNotFound, store().Stat("a"));
  const ObjectInfo first = PutBytes(store(), "a", "1", Precondition::Absent()).ValueOrDie();
  ExpectError(ErrorKind::kAlreadyExists, PutBytes(store(), "a", "x", Precondition::Absent()));
  ExpectError(ErrorKind::kFailedPrecondition,
              PutBytes(store(), "a", "x", Precondition::Version("other")));
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "1");
  EXPECT_EQ(store().Stat("a").ValueOrDie().version, first.version);
  ExpectOk(PutBytes(store(), "a", "2", Precondition::Version(first.version)));
  ExpectError(ErrorKind::kFailedPrecondition,
              PutBytes(store(), "a", "x", Precondition::Version(first.version)));
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "2");
  EXPECT_EQ(CountStaged(), 0);
}

TEST_P(StoreConformance, ARefusedPublishMayBeRepeated) {
  ExpectOk(PutBytes(store(), "a", "1"));
  const auto staged = StageBytes(store(), "2").ValueOrDie();
  ExpectError(ErrorKind::kAlreadyExists, staged->Publish("a", Precondition::Absent()));
  ExpectOk(staged->Publish("b/c", Precondition::Absent()));
  EXPECT_EQ(GetBytes(store(), "b/c").ValueOrDie(), "2");
}

TEST_P(StoreConformance, DeleteKeepsItsPrecondition) {
  ExpectError(ErrorKind::kNotFound, store().Delete("a", Precondition::Version("any")));
  const ObjectInfo info = PutBytes(store(), "a", "1").ValueOrDie();
  ExpectError(ErrorKind::kFailedPrecondition, store().Delete("a", Precondition::Version("other")));
  ExpectError(ErrorKind::kAlreadyExists, store().Delete("a", Precondition::Absent()));
  ExpectOk(store().Stat("a"));
  ExpectOk(store().Delete("a", Precondition::Version(info.version)));
  ExpectError(ErrorKind::kNotFound, store().Delete("a", Precondition::None()));
  EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
}

TEST_P(StoreConformance, RenameMovesTheObject) {
  const ObjectInfo before = PutBytes(store(), "a/b", "bytes").ValueOrDie();
  const auto reader = store().Open("a/b").ValueOrDie();
  const ObjectInfo after =
      store().Rename("a/b", "c/d/e", Precondition::None(), Precondition::Absent()).ValueOrDie();
  EXPECT_EQ(after.key, "c/d/e");
  EXPECT_EQ(after.size_bytes, before.size_bytes);
  if (GetParam().rename_keeps_version) {
    EXPECT_EQ(after.version, before.version);
  }
  EXPECT_EQ(store().Stat("c/d/e").ValueOrDie().version, after.version);
  EXPECT_EQ(ListKeys(store()).ValueOrDie(), std::vector<std::string>{"c/d/e"});
  EXPECT_EQ(GetBytes(store(), "c/d/e").ValueOrDie(), "bytes");
  EXPECT_EQ(ReadBytes(*reader).ValueOrDie(), "bytes");
}

TEST_P(StoreConformance, RenameKeepsBothPreconditions) {
  const ObjectInfo a = PutBytes(store(), "a", "a").ValueOrDie();
  const ObjectInfo b = PutBytes(store(), "b", "b").ValueOrDie();
  const Precondition none = Precondition::None();
  ExpectError(ErrorKind::kAlreadyExists, store().Rename("a", "b", none, Precondition::Absent()));
  ExpectError(ErrorKind::kFailedPrecondition,
              store().Rename("a", "b", none, Precondition::Version(a.version)));
  ExpectError(ErrorKind::kFailedPrecondition,
              store().Rename("a", "b", Precondition::Version(b.version), none));
  ExpectError(ErrorKind::kFailedPrecondition,
              store().Rename("a", "c", none, Precondition::Version(a.version)));
  ExpectError(ErrorKind::kNotFound, store().Rename("c", "b", none, none));
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "a");
  EXPECT_EQ(GetBytes(store(), "b").ValueOrDie(), "b");
  ExpectOk(
      store().Rename("a", "b", Precondition::Version(a.version), Precondition::Version(b.version)));
  EXPECT_EQ(GetBytes(store(), "b").ValueOrDie(), "a");
  EXPECT_EQ(ListKeys(store()).ValueOrDie(), std::vector<std::string>{"b"});
}

TEST_P(StoreConformance, RenameToItselfChangesNothing) {
  const Precondition none = Precondition::None();
  ExpectError(ErrorKind::kNotFound, store().Rename("a", "a", none, none));
  const ObjectInfo info = PutBytes(store(), "a", "bytes").ValueOrDie();
  EXPECT_EQ(store().Rename("a", "a", none, none).ValueOrDie().version, info.version);
  ExpectError(ErrorKind::kAlreadyExists, store().Rename("a", "a", none, Precondition::Absent()));
  EXPECT_EQ(store().Stat("a").ValueOrDie().version, info.version);
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "bytes");
}

TEST_P(StoreConformance, OfManyCreatorsExactlyOneWins) {
  for (int round = 0; round < 20; ++round) {
    const std::string key = "race/" + std::to_string(round);
    const int winners = CountWinners([&](int i) {
      const auto put = PutBytes(store(), key, std::to_string(i), Precondition::Absent());
      if (!put.ok()) ExpectError(ErrorKind::kAlreadyExists, put);
      return put.ok() && GetBytes(store(), key).ValueOrDie() == std::to_string(i);
    });
    EXPECT_EQ(winners, 1);
  }
}

TEST_P(StoreConformance, OfManyChangesToOneVersionExactlyOneWins) {
  for (int round = 0; round < 20; ++round) {
    const Precondition was =
        Precondition::Version(PutBytes(store(), "a", "start").ValueOrDie().version);
    const int winners = CountWinners([&](int i) {
      arrow::Status status;
      switch (i % 3) {
        case 0:
          status = PutBytes(store(), "a", std::to_string(i), was).status();
          break;
        case 1:
          status = store().Delete("a", was);
          break;
        default:
          status = store().Rename("a", "b", was, Precondition::None()).status();
          break;
      }
      // A loser that comes after a deletion finds nothing, the others find another version.
      if (!status.ok() && KindOf(status) != ErrorKind::kNotFound) {
        ExpectError(ErrorKind::kFailedPrecondition, status);
      }
      return status.ok();
    });
    EXPECT_EQ(winners, 1);
  }
}

TEST_P(StoreConformance, RenamesInBothDirectionsDoNotWaitForEachOther) {
  ExpectOk(PutBytes(store(), "x/a", "a"));
  ExpectOk(PutBytes(store(), "y/b", "b"));
  CountWinners([&](int i) {
    for (int round = 0; round < 50; ++round) {
      const bool forth = (i + round) % 2 == 0;
      const auto renamed = store().Rename(forth ? "x/a" : "y/b", forth ? "y/b" : "x/a",
                                          Precondition::None(), Precondition::None());
      if (!renamed.ok()) ExpectError(ErrorKind::kNotFound, renamed);
    }
    return true;
  });
  // The two met in one name, where one replaced the other; or passed each other.
  const size_t left = ListKeys(store()).ValueOrDie().size();
  EXPECT_TRUE(left == 1u || (left == 2u && !GetParam().renames_in_one_step)) << left;
}

TEST_P(StoreConformance, WritersAndDeletersOfOneFolderDoNotHinderEachOther) {
  // Each deletion may leave the folders empty that another thread is about to publish to.
  const int winners = CountWinners([&](int i) {
    const std::string key = "deep/down/" + std::to_string(i);
    for (int round = 0; round < 25; ++round) {
      const auto put = PutBytes(store(), key, "bytes", Precondition::Absent());
      ExpectOk(put);
      if (!put.ok()) return false;
      if (!store().Delete(key, Precondition::Version(put->version)).ok()) return false;
    }
    return true;
  });
  EXPECT_EQ(winners, kRacers);
  EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
}

TEST_P(StoreConformance, AReaderOpenedDuringReplacementsReadsOneWholeVersion) {
  ExpectOk(PutBytes(store(), "a", std::string(50'000, '0')));
  const int winners = CountWinners([&](int i) {
    for (int round = 0; round < 25; ++round) {
      if (i % 2 == 0) {
        if (!PutBytes(store(), "a", std::string(50'000, static_cast<char>('0' + i))).ok()) {
          return false;
        }
        continue;
      }
      const auto bytes = GetBytes(store(), "a");
      if (!bytes.ok() || *bytes != std::string(50'000, (*bytes)[0])) return false;
    }
    return true;
  });
  EXPECT_EQ(winners, kRacers);
}

// In the order of their bytes '-' and '.' come before '/', and '0' after it.
std::vector<std::string> AwkwardKeys() {
  std::vector<std::string> keys = {"%41", "* ?[x]", "A",     "a b",   "a-b",   "a-b.c/x",   "a-c/z",
                                   "a.b", "a/-",    "a/b-c", "a/b.c", "a/b/c", "a/b/d",     "a/b0",
                                   "a/é", "a0/x",   "b",     "été/x", "z\"q'", "日本/東京", "🐝"};
  std::ranges::sort(keys);
  return keys;
}

TEST_P(StoreConformance, KeysAreListedInByteOrder) {
  std::vector<std::string> keys = AwkwardKeys();
  std::vector<std::string> scattered(keys.rbegin(), keys.rend());
  std::ranges::rotate(scattered, scattered.begin() + 5);
  for (const std::string& key : scattered) ExpectOk(PutBytes(store(), key, key));
  EXPECT_EQ(ListKeys(store()).ValueOrDie(), keys);
  for (const std::string& key : keys) EXPECT_EQ(GetBytes(store(), key).ValueOrDie(), key);
}

TEST_P(StoreConformance, PrefixAndAfterNarrowTheList) {
  const std::vector<std::string> keys = AwkwardKeys();
  for (const std::string& key : keys) ExpectOk(PutBytes(store(), key, "x"));
  std::vector<std::string> bounds = {"",       "a",  "a/",   "a/b", "a/b/", "a/b/c",    "a/b/c/",
                                     "a/b/d0", "a-", "a-c/", "a.",  "0",    "zzz",      "..",
                                     "../",    "/",  "a//",  "日",  "\xff", "_hangar/", "."};
  bounds.insert(bounds.end(), keys.begin(), keys.end());
  for (const std::string& prefix : bounds) {
    for (const std::string& after : bounds) {
      std::vector<std::string> expected;
      std::ranges::copy_if(keys, std::back_inserter(expected), [&](const std::string& key) {
        return key.starts_with(prefix) && key > after;
      });
      EXPECT_EQ(ListKeys(store(), {.prefix = prefix, .after = after}).ValueOrDie(), expected)
          << "prefix " << prefix << " after " << after;
    }
  }
}

TEST_P(StoreConformance, AListingSeesWhatStaysExactlyOnceWhileOthersComeAndGo) {
  std::vector<std::string> staying;
  for (int i = 0; i < 40; ++i) {
    staying.push_back("f" + std::to_string(i % 4) + "/stays" + std::to_string(i));
    ExpectOk(PutBytes(store(), staying.back(), "x"));
  }
  std::ranges::sort(staying);
  std::atomic<bool> done = false;
  std::thread changer([&] {
    for (int i = 0; !done; ++i) {
      const std::string key = "f" + std::to_string(i % 5) + "/passes" + std::to_string(i % 7);
      ExpectOk(PutBytes(store(), key, "x"));
      ExpectOk(PutBytes(store(), staying[static_cast<size_t>(i) % staying.size()], "new"));
      ExpectOk(store().Delete(key, Precondition::None()));
    }
  });
  for (int round = 0; round < 30; ++round) {
    const std::vector<std::string> keys = ListKeys(store()).ValueOrDie();
    EXPECT_TRUE(std::ranges::is_sorted(keys));
    std::vector<std::string> stayed;
    std::ranges::copy_if(keys, std::back_inserter(stayed),
                         [](const std::string& key) { return key.contains("stays"); });
    EXPECT_EQ(stayed, staying);
  }
  done = true;
  changer.join();
}

TEST_P(StoreConformance, AListingGoesOnWhenWhatItShowsIsDeleted) {
  std::vector<std::string> keys;
  for (int i = 10; i < 60; ++i)
    keys.push_back("d" + std::to_string(i / 10) + "/" + std::to_string(i));
  for (const std::string& key : keys) ExpectOk(PutBytes(store(), key, "x"));
  const auto lister = store().List({}).ValueOrDie();
  std::vector<std::string> seen;
  for (auto next = lister->Next().ValueOrDie(); next; next = lister->Next().ValueOrDie()) {
    seen.push_back(next->key);
    ExpectOk(store().Delete(next->key, Precondition::Version(next->version)));
  }
  EXPECT_EQ(seen, keys);
  EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
}

TEST_P(StoreConformance, AKeyAndOnesBelowItEitherCoexistOrAreRefused) {
  ExpectOk(PutBytes(store(), "a", "1"));
  ExpectOk(PutBytes(store(), "d/e/f", "2"));
  const auto below = PutBytes(store(), "a/b", "x");
  const auto above = PutBytes(store(), "d", "x");
  const auto beside = store().Rename("a", "d/e", Precondition::None(), Precondition::None());
  if (!GetParam().has_folders) {
    ExpectOk(below);
    ExpectOk(above);
    ExpectOk(beside);
    EXPECT_EQ(ListKeys(store()).ValueOrDie(),
              (std::vector<std::string>{"a/b", "d", "d/e", "d/e/f"}));
    return;
  }
  ExpectError(ErrorKind::kFailedPrecondition, below);
  ExpectError(ErrorKind::kFailedPrecondition, above);
  ExpectError(ErrorKind::kFailedPrecondition, beside);
  EXPECT_EQ(ListKeys(store()).ValueOrDie(), (std::vector<std::string>{"a", "d/e/f"}));
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "1");
  ExpectError(ErrorKind::kNotFound, store().Stat("a/b"));
  ExpectError(ErrorKind::kNotFound, store().Open("d"));
  ExpectError(ErrorKind::kNotFound, store().Delete("d", Precondition::None()));
  ExpectError(ErrorKind::kNotFound, store().Delete("a/b", Precondition::None()));
  EXPECT_EQ(CountStaged(), 0);
}

TEST_P(StoreConformance, SweepingLeavesLiveStagedObjectsAlone) {
  const auto growing = store().Stage({}).ValueOrDie();
  ExpectOk(growing->Append("abc", 3));
  const auto sealed = StageBytes(store(), "def").ValueOrDie();
  const SweepReport report = store().SweepStaging().ValueOrDie();
  EXPECT_EQ(report.removed_objects, 0);
  EXPECT_EQ(report.removed_bytes, 0);
  ExpectOk(growing->Seal());
  ExpectOk(growing->Publish("a", Precondition::None()));
  ExpectOk(sealed->Publish("b", Precondition::None()));
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "abc");
  EXPECT_EQ(GetBytes(store(), "b").ValueOrDie(), "def");
}

TEST_P(StoreConformance, SweepsAndWritersGoOnSideBySide) {
  const int winners = CountWinners([&](int i) {
    for (int round = 0; round < 25; ++round) {
      if (i == 0) {
        if (!store().SweepStaging().ok()) return false;
      } else if (!PutBytes(store(), "k" + std::to_string(i), "bytes").ok()) {
        return false;
      }
    }
    return true;
  });
  EXPECT_EQ(winners, kRacers);
  EXPECT_EQ(CountStaged(), 0);
}

}  // namespace
}  // namespace hangar
