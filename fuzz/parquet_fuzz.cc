// Stored files: the input as one. It is read or refused; and where Arrow's own reader reads it as
// well, both give the same rows.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include "fuzz/require.h"
#include "fuzz/service_under_test.h"
#include "schema/storage_mapping.h"
#include "tests/support/parquet_files.h"

namespace hangar::fuzz {
namespace {

constexpr int64_t kCacheBytes = 16LL * 1024 * 1024;
constexpr int64_t kReferenceBytesMax = 64LL * 1024 * 1024;
constexpr int64_t kReferenceRowsMax = 10'000;
constexpr int kColumnsReadAloneMax = 8;

// Each way to read it: whole, a part, some columns alone.
void ReadInParts(ServiceUnderTest& under_test, const DatasetDescription& dataset) {
  const int64_t offset = dataset.rows / 3;
  RequireFitForClients(
      under_test.Read({.offset_rows = offset, .limit_rows = std::min<int64_t>(dataset.rows, 100)})
          .status());
  const int columns = std::min(dataset.schema->num_fields(), kColumnsReadAloneMax);
  for (int i = 0; i < columns; ++i) {
    const auto& name = dataset.schema->field(i)->name();
    RequireFitForClients(under_test.Read({.columns = {{name}}, .offset_rows = 1}).status());
  }
}

// As Arrow's reader decodes it, checksums verified; the conversions are those of every read.
arrow::Result<std::vector<std::string>> ReadWithArrow(std::string_view bytes,
                                                      arrow::MemoryPool* pool) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  auto source = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes));
  parquet::ReaderProperties properties(pool);
  properties.set_page_checksum_verification(true);
  ARROW_ASSIGN_OR_RAISE(
      auto footer,
      ReadableFooter(parquet::ParquetFileReader::Open(source, properties)->metadata()));
  ARROW_ASSIGN_OR_RAISE(const ReadMapping mapping, MakeReadMapping(*footer));
  parquet::ArrowReaderProperties arrow_properties = StoredFileReaderProperties();
  arrow_properties.set_use_threads(false);
  arrow_properties.set_pre_buffer(false);
  ARROW_ASSIGN_OR_RAISE(
      auto reader,
      parquet::arrow::FileReader::Make(
          pool, parquet::ParquetFileReader::Open(source, properties, footer), arrow_properties));
  ARROW_ASSIGN_OR_RAISE(auto decoded, reader->GetRecordBatchReader());
  arrow::RecordBatchVector batches;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, decoded->Next());
    if (batch == nullptr) break;
    // Arrow itself takes text for UTF-8 unseen.
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
    ARROW_ASSIGN_OR_RAISE(auto logical, ToLogicalBatches(batch, mapping.logical_schema, pool));
    for (auto& one : logical) batches.push_back(std::move(one));
  }
  return testing::Rows(batches);
  END_PARQUET_CATCH_EXCEPTIONS
}

void Try(std::string_view bytes) {
  ServiceUnderTest& with_cache = SharedService(kCacheBytes);
  ServiceUnderTest& without_cache = SharedService(0);
  with_cache.Place(bytes);
  without_cache.Place(bytes);
  const std::string dataset(ServiceUnderTest::kDataset);
  const auto described = with_cache.service().Describe(Caller{}, dataset);
  RequireFitForClients(described.status());
  if (!described.ok()) return;
  RequireFitForClients(
      with_cache.service().DescribeRead(Caller{}, {.dataset = dataset}, 4).status());
  ReadInParts(with_cache, *described);
  const auto cached = with_cache.Read({});
  RequireFitForClients(cached.status());
  const auto read = without_cache.Read({});
  RequireFitForClients(read.status());
  Require(cached.ok() == read.ok(), "a cache does not change whether a file can be read");
  if (!read.ok() || !read->complete || described->rows > kReferenceRowsMax) return;
  Require(std::ssize(read->rows) == described->rows, "a read gives the rows that were described");
  Require(cached->rows == read->rows, "a cache does not change the rows");
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), kReferenceBytesMax);
  const auto reference = ReadWithArrow(bytes, &pool);
  Require(!reference.ok() || *reference == read->rows, "Arrow's reader gives the same rows");
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hangar::fuzz::Try(std::string_view(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
