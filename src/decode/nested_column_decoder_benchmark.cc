// Rows a second that nested column chunks are decoded at, by NestedColumnDecoder and by Parquet's
// own reader on the same file. Compare the two of one case:
//   --benchmark_filter=Nested.*ListOfText --benchmark_repetitions=9
//   --benchmark_enable_random_interleaving=true

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "decode/checked_page_stream.h"
#include "decode/nested_column_decoder.h"

namespace hangar {
namespace {

constexpr int64_t kRows = 1 << 19;
constexpr int64_t kStepRows = 16 * 1024;

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;
using Random = std::mt19937_64;

template <typename T>
T Must(arrow::Result<T> result) {
  if (!result.ok()) result.status().Abort();
  return std::move(result).ValueUnsafe();
}

void Must(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

// Whether one in a thousand parts of `share` comes up.
bool Chance(Random& random, double share) {
  return static_cast<double>(random() % 1000) < share * 1000;
}

ArrayPtr Doubles(int64_t count, double null_share) {
  Random random(1);
  arrow::DoubleBuilder builder;
  for (int64_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(random() % 1'000'000'000) / 1000;
    Must(Chance(random, null_share) ? builder.AppendNull() : builder.Append(value));
  }
  return Must(builder.Finish());
}

ArrayPtr Integers(int64_t count) {
  Random random(2);
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) Must(builder.Append(static_cast<int64_t>(random() % 500)));
  return Must(builder.Finish());
}

ArrayPtr Texts(int64_t count) {
  Random random(3);
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < count; ++i) {
    Must(builder.Append("tag-" + std::to_string(random() % 300)));
  }
  return Must(builder.Finish());
}

// Where lists of up to `length_max` items begin, and which are null.
ArrayPtr Offsets(int64_t length_max, double null_share) {
  Random random(4);
  arrow::Int32Builder builder;
  int32_t offset = 0;
  for (int64_t i = 0; i < kRows; ++i) {
    const bool null = Chance(random, null_share);
    Must(null ? builder.AppendNull() : builder.Append(offset));
    if (!null) offset += static_cast<int32_t>(random() % static_cast<uint64_t>(length_max + 1));
  }
  Must(builder.Append(offset));
  return Must(builder.Finish());
}

int64_t ItemsOf(const ArrayPtr& offsets) {
  return static_cast<const arrow::Int32Array&>(*offsets).Value(kRows);
}

ArrayPtr Lists(const std::function<ArrayPtr(int64_t)>& items, double null_share) {
  const ArrayPtr offsets = Offsets(4, null_share);
  return Must(arrow::ListArray::FromArrays(*offsets, *items(ItemsOf(offsets))));
}

ArrayPtr Maps() {
  const ArrayPtr offsets = Offsets(3, 0.05);
  const int64_t items = ItemsOf(offsets);
  return Must(arrow::MapArray::FromArrays(offsets, Texts(items), Integers(items)));
}

ArrayPtr Structs(const std::vector<ArrayPtr>& children) {
  std::vector<std::string> names;
  for (size_t i = 0; i < children.size(); ++i) names.push_back("f" + std::to_string(i));
  return Must(arrow::StructArray::Make(children, names));
}

ArrayPtr Points(int64_t count) { return Structs({Doubles(count, 0), Doubles(count, 0)}); }

struct File {
  BufferPtr bytes;
  std::shared_ptr<arrow::DataType> type;
};

File Write(const ArrayPtr& column, parquet::Compression::type codec) {
  const auto schema = arrow::schema({arrow::field("c", column->type())});
  parquet::WriterProperties::Builder properties;
  properties.compression(codec)->enable_page_checksum();
  const auto sink = Must(arrow::io::BufferOutputStream::Create());
  Must(parquet::arrow::WriteTable(
      *arrow::Table::Make(schema, {column}), arrow::default_memory_pool(), sink, kRows,
      properties.build(), parquet::ArrowWriterProperties::Builder().store_schema()->build()));
  const BufferPtr bytes = Must(sink->Finish());
  // Parquet gives the items of lists a name of its own.
  const auto reader = Must(parquet::arrow::FileReader::Make(
      arrow::default_memory_pool(),
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(bytes))));
  std::shared_ptr<arrow::Schema> stored;
  Must(reader->GetSchema(&stored));
  return {.bytes = bytes, .type = stored->field(0)->type()};
}

std::unique_ptr<parquet::PageReader> OpenPages(const BufferPtr& bytes, const LeafColumn& leaf) {
  const parquet::ColumnChunkMetaData& chunk = *leaf.chunk;
  const int64_t offset =
      chunk.has_dictionary_page() ? chunk.dictionary_page_offset() : chunk.data_page_offset();
  return parquet::PageReader::Open(
      CheckPages(std::make_shared<arrow::io::BufferReader>(
                     arrow::SliceBuffer(bytes, offset, chunk.total_compressed_size())),
                 chunk),
      chunk.num_values(), chunk.compression(), parquet::ReaderProperties(), *leaf.column);
}

void DecodeNested(benchmark::State& state, const File& file) {
  const auto reader =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(file.bytes));
  const auto metadata = reader->metadata();
  for (auto _ : state) {
    std::vector<std::unique_ptr<parquet::ColumnChunkMetaData>> chunks;
    std::vector<LeafColumn> leaves;
    std::vector<std::unique_ptr<parquet::PageReader>> pages;
    for (int i = 0; i < metadata->num_columns(); ++i) {
      chunks.push_back(metadata->RowGroup(0)->ColumnChunk(i));
      leaves.push_back({.column = metadata->schema()->Column(i), .chunk = chunks.back().get()});
      pages.push_back(OpenPages(file.bytes, leaves.back()));
    }
    const auto decoder =
        Must(MakeNestedColumnDecoder(std::move(pages), *metadata->schema()->group_node()->field(0),
                                     leaves, file.type, kRows, arrow::default_memory_pool()));
    for (int64_t row = 0; row < kRows; row += kStepRows) {
      benchmark::DoNotOptimize(Must(decoder->Decode(kStepRows)));
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

void DecodeWithArrow(benchmark::State& state, const File& file) {
  parquet::ReaderProperties checked;
  checked.set_page_checksum_verification(true);
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kStepRows);
  properties.set_pre_buffer(false);
  const auto reader = Must(parquet::arrow::FileReader::Make(
      arrow::default_memory_pool(),
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(file.bytes),
                                       checked),
      properties));
  for (auto _ : state) {
    const auto batches = Must(reader->GetRecordBatchReader(std::vector<int>{0}));
    while (const auto batch = Must(batches->Next())) benchmark::DoNotOptimize(batch.get());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

void Register(const std::string& name, const std::function<ArrayPtr()>& make,
              parquet::Compression::type codec = parquet::Compression::UNCOMPRESSED) {
  // Made when first needed: most runs are of a few cases.
  const auto file = std::make_shared<File>();
  const auto prepare = [=] {
    if (file->bytes == nullptr) *file = Write(make(), codec);
  };
  benchmark::RegisterBenchmark("Nested" + name + "/own", [=](benchmark::State& state) {
    prepare();
    DecodeNested(state, *file);
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("Nested" + name + "/arrow", [=](benchmark::State& state) {
    prepare();
    DecodeWithArrow(state, *file);
  })->Unit(benchmark::kMillisecond);
}

const bool kRegistered = [] {
  const auto doubles = [](int64_t count) { return Doubles(count, 0.05); };
  const auto lists = [](int64_t count) {
    // As many lists inside as there are items.
    arrow::Int32Builder offsets;
    for (int64_t i = 0; i <= count; ++i) Must(offsets.Append(static_cast<int32_t>(2 * i)));
    return ArrayPtr(
        Must(arrow::ListArray::FromArrays(*Must(offsets.Finish()), *Integers(2 * count))));
  };
  Register("ListOfIntegers", [] { return Lists(Integers, 0); });
  Register("ListOfDoublesWithNulls", [=] { return Lists(doubles, 0.05); });
  Register("ListOfTexts", [] { return Lists(Texts, 0.05); });
  Register("ListOfTextsSnappy", [] { return Lists(Texts, 0.05); }, parquet::Compression::SNAPPY);
  Register("ListOfStructs", [] { return Lists(Points, 0.05); });
  Register("ListOfLists", [=] { return Lists(lists, 0.05); });
  Register("Map", Maps);
  Register("Struct", [] { return Structs({Doubles(kRows, 0), Integers(kRows), Texts(kRows)}); });
  Register("StructWithNulls",
           [] { return Structs({Doubles(kRows, 0.1), Structs({Doubles(kRows, 0.1)})}); });
  return true;
}();

}  // namespace
}  // namespace hangar
