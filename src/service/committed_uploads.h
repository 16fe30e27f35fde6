#pragma once

#include <array>
#include <optional>
#include <string>

#include <arrow/result.h>

#include "base/mutex.h"
#include "catalog/catalog.h"
#include "catalog/dataset_name.h"

namespace hangar {

/// Finds uploads by the id that their client gave them, so that a client that did not hear of its
/// upload's end can send it again. The id stands in the file itself: an upload is remembered
/// exactly as long as what it stored is kept, as current or as past version. Thread-safe.
class CommittedUploads {
 public:
  explicit CommittedUploads(Catalog* catalog) : catalog_(catalog) {}

  /// INVALID_ARGUMENT for an id that is not 1 to 128 bytes of UTF-8.
  static arrow::Status CheckId(const std::string& id);

  /// The version of `name` that an upload of this id made, if it is kept.
  arrow::Result<std::optional<Snapshot>> Find(const DatasetName& name, const std::string& id);

  /// To be held while an upload is looked for and published, so that of two at once with one id
  /// the later finds the earlier. Servers that share a store do not exclude each other.
  Mutex& MutexOf(const DatasetName& name, const std::string& id);

 private:
  static constexpr size_t kStripes = 64;

  Catalog* const catalog_;
  std::array<Mutex, kStripes> mutexes_;
};

}  // namespace hangar
