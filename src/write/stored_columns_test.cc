// What a dataset's file holds, column by column, against Arrow's own writer and reader.

#include <random>
#include <string>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/size_statistics.h>
#include <parquet/statistics.h>

#include "base/worker_pool.h"
#include "store/memory_store.h"
#include "tests/support/random_arrays.h"
#include "tests/support/test_data.h"
#include "write/dataset_writer.h"

namespace hangar {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

std::unique_ptr<parquet::ParquetFileReader> OpenBytes(const std::string& bytes) {
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  return parquet::ParquetFileReader::Open(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)), properties);
}

std::shared_ptr<arrow::Table> ReadBack(const std::string& bytes) {
  auto reader =
      parquet::arrow::FileReader::Make(arrow::default_memory_pool(), OpenBytes(bytes)).ValueOrDie();
  const auto table = reader->ReadTable().ValueOrDie();
  EXPECT_TRUE(table->ValidateFull().ok());
  return table;
}

class StoredColumns : public ::testing::Test {
 protected:
  // Uploads the column in batches of `batch_rows` and gives the file.
  std::string Store(const ArrayPtr& values, WriteSettings settings, int64_t batch_rows = 7'001) {
    settings.workers = &workers_;
    const auto schema = arrow::schema({arrow::field("x", values->type())});
    const auto writer = DatasetWriter::Make(*store_, schema, settings).ValueOrDie();
    for (int64_t row = 0; row < values->length(); row += batch_rows) {
      const auto slice = values->Slice(row, batch_rows);
      const auto batch =
          arrow::RecordBatch::Make(schema, slice->length(), arrow::ArrayVector{slice});
      EXPECT_TRUE(writer->Append(batch).ok());
    }
    const auto finished = writer->Finish();
    EXPECT_TRUE(finished.ok()) << finished;
    EXPECT_TRUE(writer->Publish(DatasetName::Parse("a").ValueOrDie(), Precondition::None()).ok());
    return LoadBytes(*store_, "a");
  }

  void ExpectRoundTrip(const ArrayPtr& values, const WriteSettings& settings) {
    const auto table = ReadBack(Store(values, settings));
    const auto back = arrow::Concatenate(table->column(0)->chunks()).ValueOrDie();
    ASSERT_TRUE(back->Equals(*values, arrow::EqualOptions::Defaults().nans_equal(true)))
        << values->type()->ToString();
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  WorkerPool workers_{2};
};

const std::vector<std::shared_ptr<arrow::DataType>> kTypes = {
    arrow::boolean(),
    arrow::int8(),
    arrow::uint8(),
    arrow::int16(),
    arrow::uint16(),
    arrow::int32(),
    arrow::uint32(),
    arrow::int64(),
    arrow::uint64(),
    arrow::float32(),
    arrow::float64(),
    arrow::date32(),
    arrow::utf8(),
    arrow::binary(),
    arrow::large_utf8(),
    arrow::large_binary(),
    arrow::utf8_view(),
    arrow::time64(arrow::TimeUnit::NANO),
    arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
    arrow::duration(arrow::TimeUnit::SECOND),
    arrow::fixed_size_binary(5),
    arrow::decimal128(20, 3),
    arrow::list(arrow::utf8()),
    arrow::map(arrow::utf8(), arrow::int64()),
    arrow::large_list(arrow::list(arrow::boolean())),
    arrow::struct_({arrow::field("a", arrow::list(arrow::field("i", arrow::float32(), false))),
                    arrow::field("b", arrow::struct_({arrow::field("c", arrow::int8())}), false)}),
    arrow::list(arrow::decimal128(5, 2)),
    arrow::list(
        arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())}))};

TEST_F(StoredColumns, EveryTypeComesBackWithAndWithoutNulls) {
  std::mt19937_64 random(1);
  for (const auto& type : kTypes) {
    for (const double null_share : {0.0, 0.1, 0.95, 1.0}) {
      for (const int64_t rows : {1, 63, 20'000}) {
        const auto values =
            testing::RandomArray(type, {.length = rows, .null_share = null_share}, random);
        ExpectRoundTrip(values, {.row_group_rows = 12'345});
      }
    }
  }
}

TEST_F(StoredColumns, EveryEncodingComesBackUnderEveryCodec) {
  std::mt19937_64 random(2);
  for (const auto& type : kTypes) {
    const auto values = testing::RandomArray(type, {.length = 5'000, .null_share = 0.2}, random);
    for (const char* encoding : {"plain", "dictionary", "delta", "byte_stream_split"}) {
      for (const char* codec : {"none", "lz4", "zstd", "snappy"}) {
        const WriteSettings settings{.codec = codec, .encodings = {{"x", encoding}}};
        const auto schema = arrow::schema({arrow::field("x", type)});
        if (DatasetWriter::Make(*store_, schema, settings).ok()) ExpectRoundTrip(values, settings);
      }
    }
  }
}

std::string Described(const parquet::ColumnIndex& index) {
  std::string described = std::to_string(static_cast<int>(index.boundary_order()));
  for (size_t i = 0; i < index.null_pages().size(); ++i) {
    described += index.null_pages()[i]
                     ? " null"
                     : " " + index.encoded_min_values()[i] + ".." + index.encoded_max_values()[i];
    described += " " + std::to_string(index.null_counts()[i]);
  }
  return described;
}

TEST_F(StoredColumns, StatisticsAndPageIndexAreThoseOfArrowsOwnWriter) {
  std::mt19937_64 random(3);
  for (const auto& type : kTypes) {
    for (const char* encoding : {"plain", "dictionary"}) {
      const WriteSettings settings{.encodings = {{"x", encoding}}};
      const auto schema = arrow::schema({arrow::field("x", type)});
      if (!DatasetWriter::Make(*store_, schema, settings).ok()) continue;
      const auto values = testing::RandomArray(type, {.length = 3'000, .null_share = 0.3}, random);
      const auto ours = OpenBytes(Store(values, settings));
      const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
      ASSERT_TRUE(parquet::arrow::WriteTable(
                      *arrow::Table::Make(schema, {values}), arrow::default_memory_pool(), sink,
                      3'000,
                      parquet::WriterProperties::Builder().enable_write_page_index()->build())
                      .ok());
      const auto theirs = OpenBytes(sink->Finish().ValueOrDie()->ToString());
      for (int i = 0; i < theirs->metadata()->num_columns(); ++i) {
        const auto our_chunk = ours->metadata()->RowGroup(0)->ColumnChunk(i);
        const auto their_chunk = theirs->metadata()->RowGroup(0)->ColumnChunk(i);
        const auto our_stats = our_chunk->encoded_statistics();
        const auto their_stats = their_chunk->encoded_statistics();
        ASSERT_EQ(our_stats == nullptr, their_stats == nullptr);
        EXPECT_EQ(our_stats->min(), their_stats->min()) << type->ToString();
        EXPECT_EQ(our_stats->max(), their_stats->max()) << type->ToString();
        // Beneath lists Arrow counts the nulls of numbers without those of empty and null lists.
        const bool is_repeated =
            theirs->metadata()->schema()->Column(i)->max_repetition_level() > 0;
        if (!is_repeated) EXPECT_EQ(our_stats->null_count, their_stats->null_count);
        EXPECT_EQ(our_chunk->size_statistics()->definition_level_histogram,
                  their_chunk->size_statistics()->definition_level_histogram);
        EXPECT_EQ(our_chunk->size_statistics()->repetition_level_histogram,
                  their_chunk->size_statistics()->repetition_level_histogram);
        EXPECT_EQ(our_chunk->num_values(), their_chunk->num_values());
        EXPECT_EQ(our_chunk->size_statistics()->unencoded_byte_array_data_bytes,
                  their_chunk->size_statistics()->unencoded_byte_array_data_bytes);
        const auto our_index = ours->GetPageIndexReader()->RowGroup(0)->GetColumnIndex(i);
        const auto their_index = theirs->GetPageIndexReader()->RowGroup(0)->GetColumnIndex(i);
        ASSERT_EQ(our_index == nullptr, their_index == nullptr) << type->ToString();
        if (our_index != nullptr && !is_repeated)
          EXPECT_EQ(Described(*our_index), Described(*their_index));
      }
    }
  }
}

TEST_F(StoredColumns, ADictionaryThatGrowsTooLargeFallsBackWithinItsChunk) {
  // The first rows' few values promise a dictionary; then every value is new.
  arrow::Int64Builder numbers;
  arrow::StringBuilder strings;
  for (int64_t i = 0; i < 600'000; ++i) {
    const int64_t value = i < 70'000 ? i % 10 : i * 1'000'003;
    ASSERT_TRUE(numbers.Append(value).ok());
    ASSERT_TRUE(strings.Append(std::to_string(value)).ok());
  }
  for (const auto& values : {numbers.Finish().ValueOrDie(), strings.Finish().ValueOrDie()}) {
    const std::string bytes = Store(values, {.row_group_rows = 400'000}, /*batch_rows=*/70'000);
    ASSERT_TRUE(ReadBack(bytes)->column(0)->Equals(arrow::ChunkedArray(values)));
    const auto metadata = OpenBytes(bytes)->metadata();
    const auto first = metadata->RowGroup(0)->ColumnChunk(0);
    EXPECT_TRUE(first->has_dictionary_page());
    EXPECT_EQ(first->encoding_stats().size(), 3U);  // Its page, and pages of both kinds.
    EXPECT_FALSE(metadata->RowGroup(1)->ColumnChunk(0)->has_dictionary_page());
  }
}

// The array with each buffer at an odd address, as buffers of a message can be.
std::shared_ptr<arrow::ArrayData> Displaced(const arrow::ArrayData& data) {
  auto displaced = data.Copy();
  for (auto& buffer : displaced->buffers) {
    if (buffer == nullptr) continue;
    const auto size = static_cast<size_t>(buffer->size());
    const auto moved =
        arrow::Buffer::FromString("123" + std::string(buffer->data_as<char>(), size));
    buffer = arrow::SliceBuffer(moved, 3);
  }
  for (auto& child : displaced->child_data) child = Displaced(*child);
  return displaced;
}

TEST_F(StoredColumns, BuffersMayBeginAtAnyAddress) {
  std::mt19937_64 random(5);
  const auto structs = arrow::struct_({arrow::field("a", arrow::int64())});
  for (const auto& type : {arrow::int64(), arrow::int16(), arrow::utf8(), arrow::large_utf8(),
                           arrow::list(arrow::float64()), structs, arrow::decimal128(12, 2)}) {
    for (const double nulls : {0.0, 0.3}) {
      const auto values =
          testing::RandomArray(type, {.length = 5'000, .null_share = nulls}, random);
      const auto displaced = arrow::MakeArray(Displaced(*values->data()));
      const auto table = ReadBack(Store(displaced, {}));
      const auto back = arrow::Concatenate(table->column(0)->chunks()).ValueOrDie();
      EXPECT_TRUE(back->Equals(*values, arrow::EqualOptions::Defaults().nans_equal(true)))
          << type->ToString();
    }
  }
}

TEST_F(StoredColumns, ADictionaryOfStructsBecomesAColumnForEachOfTheirFields) {
  const auto structs =
      arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())});
  std::mt19937_64 random(6);
  const auto values = testing::RandomArray(structs, {.length = 9}, random);
  arrow::Int8Builder indices;
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(indices.Append(static_cast<int8_t>(i % 9)).ok());
  const auto type = arrow::dictionary(arrow::int8(), structs);
  const auto array =
      arrow::DictionaryArray::FromArrays(type, indices.Finish().ValueOrDie(), values);
  const auto reader = OpenBytes(Store(*array, {}));
  EXPECT_EQ(reader->metadata()->num_columns(), 2);
  EXPECT_EQ(reader->metadata()->num_rows(), 1'000);
}

TEST_F(StoredColumns, PagesEndAfterAPowerOfTwoOfRowsWhateverTheBatches) {
  std::mt19937_64 random(4);
  const auto values = testing::RandomArray(arrow::int64(), {.length = 40'000}, random);
  for (const int64_t batch_rows : {40'000, 3'001}) {
    const auto reader = OpenBytes(Store(values, {}, batch_rows));
    const auto offsets = reader->GetPageIndexReader()->RowGroup(0)->GetOffsetIndex(0);
    ASSERT_EQ(offsets->page_locations().size(), 3U);
    EXPECT_EQ(offsets->page_locations()[1].first_row_index, 16'384);
    EXPECT_EQ(offsets->page_locations()[2].first_row_index, 32'768);
  }
}

}  // namespace
}  // namespace hangar
