#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "service/dataset_service.h"
#include "store/object_store.h"

namespace hangar::fuzz {

/// Beyond this a fuzzer looks no further: few bytes can be very many rows, rightly.
inline constexpr int64_t kRowsMax = 100'000;
inline constexpr int64_t kBytesMax = 64LL * 1024 * 1024;

/// A service over a store in memory with one dataset, `kDataset`.
class ServiceUnderTest {
 public:
  static constexpr std::string_view kDataset = "f";

  explicit ServiceUnderTest(int64_t cache_bytes);

  DatasetService& service() { return *service_; }

  /// Puts bytes there as another program does it.
  void Place(std::string_view bytes);

  /// The bytes that are there.
  std::string Load();

  /// What a read gave; `complete` where it was no more than the bounds above.
  struct Rows {
    std::shared_ptr<arrow::Schema> schema;
    std::vector<std::string> rows;  ///< As tests/support/parquet_files.h renders them.
    bool complete = false;
  };
  /// Of the dataset. An error without a kind where a batch is not valid in full, or not of the
  /// schema that was promised.
  arrow::Result<Rows> Read(ReadRequest request);

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::unique_ptr<DatasetService> service_;
};

/// The same one for some inputs, then another: making one for each takes longer than most inputs,
/// and a store keeps what was replaced.
ServiceUnderTest& SharedService(int64_t cache_bytes);

}  // namespace hangar::fuzz
