// Rows a second that a column chunk is decoded at, by FlatColumnDecoder and by Parquet's own
// reader on the same file. Compare the two of one case:
//   --benchmark_filter=Int64Plain --benchmark_repetitions=9
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

#include "decode/checked_page_stream.h"
#include "decode/flat_column_decoder.h"

namespace hangar {
namespace {

constexpr int64_t kRows = 1 << 20;
constexpr int64_t kStepRows = 64 * 1024;

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Random = std::mt19937_64;

template <typename T>
T Must(arrow::Result<T> result) {
  if (!result.ok()) result.status().Abort();
  return std::move(result).ValueUnsafe();
}

struct Case {
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;
  bool dictionary = false;
  parquet::Compression::type codec = parquet::Compression::UNCOMPRESSED;
};

template <typename Builder, typename Value>
ArrayPtr Build(const std::shared_ptr<arrow::DataType>& type, double null_share, Value&& value) {
  Random random(1);
  Builder builder(type, arrow::default_memory_pool());
  for (int64_t i = 0; i < kRows; ++i) {
    const bool null = static_cast<double>(random() % 1000) < null_share * 1000;
    const auto status = null ? builder.AppendNull() : builder.Append(value(random, i));
    if (!status.ok()) status.Abort();
  }
  return Must(builder.Finish());
}

ArrayPtr Integers(int64_t distinct, double null_share) {
  return Build<arrow::Int64Builder>(arrow::int64(), null_share, [&](Random& random, int64_t) {
    return static_cast<int64_t>(random()) % distinct;
  });
}

ArrayPtr Times() {
  return Build<arrow::TimestampBuilder>(
      arrow::timestamp(arrow::TimeUnit::MICRO), 0, [](Random& random, int64_t i) {
        return 1'700'000'000'000'000 + i * 1'000'000 + static_cast<int64_t>(random() % 1'000'000);
      });
}

ArrayPtr Doubles() {
  return Build<arrow::DoubleBuilder>(arrow::float64(), 0, [](Random& random, int64_t) {
    return static_cast<double>(random() % 10'000) / 100;
  });
}

ArrayPtr Booleans(double null_share) {
  return Build<arrow::BooleanBuilder>(arrow::boolean(), null_share,
                                      [](Random& random, int64_t) { return random() % 2 == 0; });
}

// Texts of `length_min` to twice as many bytes.
ArrayPtr Texts(size_t distinct, size_t length_min, double null_share) {
  return Build<arrow::StringBuilder>(arrow::utf8(), null_share, [&](Random& random, int64_t) {
    const size_t number = random() % distinct;
    std::string text = std::to_string(number * 7919);
    text.resize(length_min + number % (length_min + 1), 'x');
    return text;
  });
}

std::shared_ptr<arrow::Buffer> Write(const ArrayPtr& column, const Case& how) {
  const auto schema = arrow::schema({arrow::field("c", column->type())});
  parquet::WriterProperties::Builder properties;
  properties.compression(how.codec)->enable_page_checksum();
  if (!how.dictionary) properties.disable_dictionary()->encoding(how.encoding);
  const auto sink = Must(arrow::io::BufferOutputStream::Create());
  const auto status =
      parquet::arrow::WriteTable(*arrow::Table::Make(schema, {column}),
                                 arrow::default_memory_pool(), sink, kRows, properties.build());
  if (!status.ok()) status.Abort();
  return Must(sink->Finish());
}

std::unique_ptr<parquet::PageReader> OpenPages(const std::shared_ptr<arrow::Buffer>& bytes,
                                               const parquet::FileMetaData& metadata) {
  const auto chunk = metadata.RowGroup(0)->ColumnChunk(0);
  const int64_t offset =
      chunk->has_dictionary_page() ? chunk->dictionary_page_offset() : chunk->data_page_offset();
  return parquet::PageReader::Open(
      CheckPages(std::make_shared<arrow::io::BufferReader>(
                     arrow::SliceBuffer(bytes, offset, chunk->total_compressed_size())),
                 *chunk),
      chunk->num_values(), chunk->compression(), parquet::ReaderProperties(),
      *metadata.schema()->Column(0));
}

parquet::ReaderProperties Checked() {
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  return properties;
}

void DecodeFlat(benchmark::State& state, const std::shared_ptr<arrow::Buffer>& bytes,
                const std::shared_ptr<arrow::DataType>& type) {
  const auto source = std::make_shared<arrow::io::BufferReader>(bytes);
  const auto file = parquet::ParquetFileReader::Open(source);
  for (auto _ : state) {
    const auto group = file->RowGroup(0);
    const auto decoder = Must(MakeFlatColumnDecoder(
        OpenPages(bytes, *file->metadata()), *file->metadata()->schema()->Column(0),
        *group->metadata()->ColumnChunk(0), type, kRows, arrow::default_memory_pool()));
    for (int64_t row = 0; row < kRows; row += kStepRows) {
      benchmark::DoNotOptimize(Must(decoder->Decode(kStepRows)));
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

void DecodeWithArrow(benchmark::State& state, const std::shared_ptr<arrow::Buffer>& bytes) {
  const auto source = std::make_shared<arrow::io::BufferReader>(bytes);
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kStepRows);
  properties.set_pre_buffer(false);
  const auto reader = Must(parquet::arrow::FileReader::Make(
      arrow::default_memory_pool(), parquet::ParquetFileReader::Open(source, Checked()),
      properties));
  for (auto _ : state) {
    const auto batches =
        Must(reader->GetRecordBatchReader(std::vector<int>{0}, std::vector<int>{0}));
    while (const auto batch = Must(batches->Next())) benchmark::DoNotOptimize(batch.get());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

void Register(const std::string& name, const std::function<ArrayPtr()>& make, const Case& how) {
  // Made when first needed: most runs are of a few cases.
  const auto file = std::make_shared<std::shared_ptr<arrow::Buffer>>();
  const auto type = std::make_shared<std::shared_ptr<arrow::DataType>>();
  const auto prepare = [=] {
    if (*file != nullptr) return;
    const ArrayPtr column = make();
    *type = column->type();
    *file = Write(column, how);
  };
  benchmark::RegisterBenchmark(name + "/flat", [=](benchmark::State& state) {
    prepare();
    DecodeFlat(state, *file, *type);
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark(name + "/arrow", [=](benchmark::State& state) {
    prepare();
    DecodeWithArrow(state, *file);
  })->Unit(benchmark::kMillisecond);
}

const bool kRegistered = [] {
  using Encoding = parquet::Encoding;
  const Case dictionary{.dictionary = true};
  const auto snappy = [](Case how) {
    how.codec = parquet::Compression::SNAPPY;
    return how;
  };
  const auto unique = [] { return Integers(INT64_MAX, 0); };
  const auto few = [] { return Integers(300, 0); };
  const auto few_with_nulls = [] { return Integers(300, 0.1); };
  const auto short_texts = [] { return Texts(1 << 20, 8, 0); };
  const auto short_texts_with_nulls = [] { return Texts(1 << 20, 8, 0.1); };
  const auto few_texts = [] { return Texts(300, 8, 0); };
  Register("Int64Plain", unique, {});
  Register("Int64PlainSnappy", unique, snappy({}));
  Register("Int64PlainNulls", [] { return Integers(INT64_MAX, 0.1); }, {});
  Register("Int64Dictionary", few, dictionary);
  Register("Int64DictionaryNulls", few_with_nulls, dictionary);
  Register("Int64Delta", few, {.encoding = Encoding::DELTA_BINARY_PACKED});
  Register("TimestampDelta", Times, {.encoding = Encoding::DELTA_BINARY_PACKED});
  Register("DoubleSplit", Doubles, {.encoding = Encoding::BYTE_STREAM_SPLIT});
  Register("DoubleDictionarySnappy", Doubles, snappy(dictionary));
  Register("BooleanPlain", [] { return Booleans(0); }, {});
  Register("BooleanPlainNulls", [] { return Booleans(0.1); }, {});
  Register("BooleanRle", [] { return Booleans(0); }, {.encoding = Encoding::RLE});
  Register("TextPlain", short_texts, {});
  Register("TextPlainSnappy", short_texts, snappy({}));
  Register("TextPlainNulls", short_texts_with_nulls, {});
  Register("LongTextPlain", [] { return Texts(1 << 20, 60, 0); }, {});
  Register("TextDictionary", few_texts, dictionary);
  Register("TextDictionaryNulls", [] { return Texts(300, 8, 0.1); }, dictionary);
  Register("TextDeltaLength", short_texts, {.encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY});
  Register("TextDeltaBytes", short_texts, {.encoding = Encoding::DELTA_BYTE_ARRAY});
  return true;
}();

}  // namespace
}  // namespace hangar
