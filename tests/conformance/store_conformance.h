#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "store/object_store.h"

namespace hangar {

/// One store with whatever it stands on (a temporary folder, a server), empty at the start.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  /// Called once.
  virtual std::shared_ptr<ObjectStore> OpenStore() = 0;
  /// How many staged objects there are, published ones not counted.
  virtual int64_t CountStaged() = 0;
};

/// A kind of store for the suite, with what the contract leaves to it.
struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreFixture>()> make;
  bool rename_keeps_version = false;
  /// `a` and `a/b` cannot be there together.
  bool has_folders = false;
  /// Equal bytes are one version.
  bool versions_are_of_content = false;
  /// Two keys can change in one step.
  bool renames_in_one_step = true;
  /// A past version that is purged can be read on by who has it open.
  bool readers_outlive_purge = true;
};

inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

/// Every sentence of store/object_store.h, as tests. A store runs them with
/// INSTANTIATE_TEST_SUITE_P(Name, StoreConformance, ::testing::Values(kind)).
class StoreConformance : public ::testing::TestWithParam<StoreKind> {
 protected:
  StoreConformance() : fixture_(GetParam().make()), store_(fixture_->OpenStore()) {}

  ObjectStore& store() { return *store_; }
  int64_t CountStaged() { return fixture_->CountStaged(); }

  const std::unique_ptr<StoreFixture> fixture_;
  std::shared_ptr<ObjectStore> store_;
};

}  // namespace hangar
