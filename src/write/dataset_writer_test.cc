#include "write/dataset_writer.h"

#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/array_dict.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/metadata.h>

#include "base/error.h"
#include "base/worker_pool.h"
#include "store/memory_store.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

class DatasetWriterTest : public ::testing::Test {
 protected:
  std::unique_ptr<DatasetWriter> Writer(const WriteSettings& settings = {}) {
    return DatasetWriter::Make(*store_, NumberedSchema(), settings).ValueOrDie();
  }

  static arrow::Result<Snapshot> Publish(DatasetWriter& writer) {
    ARROW_RETURN_NOT_OK(writer.Finish());
    return writer.Publish(DatasetName::Parse("a").ValueOrDie(), Precondition::None());
  }

  // What comes of a batch: values are checked where they are encoded, which may be later.
  static arrow::Status Store(DatasetWriter& writer,
                             const std::shared_ptr<arrow::RecordBatch>& batch) {
    ARROW_RETURN_NOT_OK(writer.Append(batch));
    return writer.Finish();
  }

  bool NothingIsVisible() {
    return !store_->List({}).ValueOrDie()->Next().ValueOrDie().has_value();
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
};

TEST_F(DatasetWriterTest, SmallBatchesAreGatheredIntoRowGroups) {
  const auto writer = Writer({.row_group_rows = 1'000});
  for (int64_t row = 0; row < 2'500; row += 10) {
    ASSERT_TRUE(writer->Append(NumberedBatch(row, 10)).ok());
  }
  const auto snapshot = Publish(*writer);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->footer->rows, 2'500);
  ASSERT_EQ(snapshot->footer->row_groups, 3);
  EXPECT_EQ(snapshot->footer->metadata->RowGroup(0)->num_rows(), 1'000);
  EXPECT_EQ(snapshot->footer->metadata->RowGroup(2)->num_rows(), 500);
}

TEST_F(DatasetWriterTest, RowGroupsAreBoundedInBytesToo) {
  // A row of the numbered table takes some 30 bytes.
  const auto writer = Writer({.row_group_bytes = 30'000});
  ASSERT_TRUE(writer->Append(NumberedBatch(0, 10'000)).ok());
  const auto snapshot = Publish(*writer);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_GE(snapshot->footer->row_groups, 7);
  EXPECT_LE(snapshot->footer->row_groups, 14);
  EXPECT_EQ(snapshot->footer->rows, 10'000);
}

TEST_F(DatasetWriterTest, DictionariesCountAsTheValuesThatTheyStandFor) {
  arrow::StringBuilder values;
  ASSERT_TRUE(values.Append(std::string(10'000, 'x')).ok());
  arrow::Int8Builder indices;
  ASSERT_TRUE(indices.AppendValues(std::vector<int8_t>(1'000, 0)).ok());
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto column =
      arrow::DictionaryArray::FromArrays(type, *indices.Finish(), *values.Finish()).ValueOrDie();
  const auto schema = arrow::schema({arrow::field("x", type)});
  const auto writer =
      DatasetWriter::Make(*store_, schema, {.row_group_bytes = 1'000'000}).ValueOrDie();
  ASSERT_TRUE(writer->Append(arrow::RecordBatch::Make(schema, 1'000, {column})).ok());
  EXPECT_GE(Publish(*writer)->footer->row_groups, 10);
}

TEST_F(DatasetWriterTest, NoBatchesAndEmptyBatchesMakeADatasetOfNoRows) {
  const auto writer = Writer();
  ASSERT_TRUE(writer->Append(NumberedBatch(0, 0)).ok());
  const auto snapshot = Publish(*writer);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->footer->rows, 0);
  EXPECT_TRUE(snapshot->footer->logical_schema->Equals(*NumberedSchema(), true));
}

TEST_F(DatasetWriterTest, NothingIsVisibleBeforePublishNorAfterGivingUp) {
  {
    const auto writer = Writer();
    ASSERT_TRUE(writer->Append(NumberedBatch(0, 100)).ok());
    ASSERT_TRUE(writer->Finish().ok());
    EXPECT_TRUE(NothingIsVisible());
  }
  EXPECT_TRUE(NothingIsVisible());
}

TEST_F(DatasetWriterTest, RefusesABatchOfAnotherSchema) {
  const auto writer = Writer();
  const auto status = writer->Append(NumberedBatch(0, 10)->SelectColumns({0}).ValueOrDie());
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("another schema"));
}

TEST_F(DatasetWriterTest, RefusesABatchWhoseBuffersLie) {
  const auto writer = Writer();
  auto batch = NumberedBatch(0, 10);
  auto names = batch->column_data(1)->Copy();
  const int32_t offsets[11] = {0, 5, 10, 1'000'000, 3, 2, 1, 0, 0, 0, 0};
  names->buffers[1] = arrow::Buffer::FromString(
      std::string(reinterpret_cast<const char*>(offsets), sizeof(offsets)));
  batch = batch->SetColumn(1, batch->schema()->field(1), arrow::MakeArray(names)).ValueOrDie();
  const auto status = Store(*writer, batch);
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("batch 1 of the upload is malformed"));
  EXPECT_THAT(status.message(), HasSubstr("'name'"));
}

TEST_F(DatasetWriterTest, RefusesStringsThatAreNotUtf8) {
  const auto schema = arrow::schema({arrow::field("text", arrow::utf8())});
  auto writer = DatasetWriter::Make(*store_, schema, {}).ValueOrDie();
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append("\xFF").ok());
  const auto batch = arrow::RecordBatch::Make(schema, 1, {builder.Finish().ValueOrDie()});
  EXPECT_EQ(KindOf(Store(*writer, batch)), ErrorKind::kInvalidArgument);
}

TEST_F(DatasetWriterTest, RefusesNullsWhereTheSchemaDeclaresNone) {
  const auto schema = arrow::schema({arrow::field("name", arrow::utf8(), /*nullable=*/false)});
  auto writer = DatasetWriter::Make(*store_, schema, {}).ValueOrDie();
  const auto batch = arrow::RecordBatch::Make(schema, 10, {NumberedBatch(0, 10)->column(1)});
  const auto status = Store(*writer, batch);
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("'name'"));
}

TEST_F(DatasetWriterTest, RefusesRowsWithoutColumns) {
  const auto schema = arrow::schema(arrow::FieldVector{});
  const auto writer = DatasetWriter::Make(*store_, schema, {});
  if (!writer.ok()) {
    EXPECT_EQ(KindOf(writer.status()), ErrorKind::kInvalidArgument);
    return;
  }
  const auto batch = arrow::RecordBatch::Make(schema, 10, arrow::ArrayVector{});
  EXPECT_EQ(KindOf((*writer)->Append(batch)), ErrorKind::kInvalidArgument);
}

TEST_F(DatasetWriterTest, RefusesATypeThatParquetCannotHoldBeforeAnythingIsStaged) {
  const auto schema = arrow::schema(
      {arrow::field("either", arrow::dense_union({arrow::field("i", arrow::int64())}))});
  const auto writer = DatasetWriter::Make(*store_, schema, {});
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(KindOf(writer.status()), ErrorKind::kInvalidArgument);
  EXPECT_THAT(writer.status().message(), HasSubstr("'either'"));
}

// Numbers that neither a dictionary nor a codec makes smaller.
std::shared_ptr<arrow::RecordBatch> RandomBatch(const std::shared_ptr<arrow::Schema>& schema,
                                                int64_t rows, std::mt19937_64& random) {
  arrow::ArrayVector columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.Reserve(rows).ok());
    for (int64_t row = 0; row < rows; ++row) {
      builder.UnsafeAppend(static_cast<int64_t>(random()));
    }
    columns.push_back(builder.Finish().ValueOrDie());
  }
  return arrow::RecordBatch::Make(schema, rows, columns);
}

std::shared_ptr<arrow::Schema> SchemaOfNumbers(int columns) {
  arrow::FieldVector fields;
  for (int i = 0; i < columns; ++i) {
    fields.push_back(arrow::field("c" + std::to_string(i), arrow::int64()));
  }
  return arrow::schema(fields);
}

TEST_F(DatasetWriterTest, ABadBatchAmongGoodOnesEndsTheUploadWhenItIsReached) {
  WorkerPool workers(2);
  std::mt19937_64 random(1);
  const auto schema =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("text", arrow::utf8())});
  auto writer = DatasetWriter::Make(*store_, schema, {.workers = &workers}).ValueOrDie();
  const auto batch = [&](const char* text) {
    arrow::StringBuilder builder;
    for (int i = 0; i < 50'000; ++i) EXPECT_TRUE(builder.Append(text).ok());
    return arrow::RecordBatch::Make(schema, 50'000,
                                    {RandomBatch(SchemaOfNumbers(1), 50'000, random)->column(0),
                                     builder.Finish().ValueOrDie()});
  };
  arrow::Status status;
  for (int number = 1; number <= 20 && status.ok(); ++number) {
    status = writer->Append(batch(number == 3 ? "\xFF" : "fine"));
  }
  if (status.ok()) status = writer->Finish();
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("batch 3 of the upload is malformed"));
  EXPECT_THAT(status.message(), HasSubstr("'text'"));
  EXPECT_EQ(KindOf(writer->Finish()), ErrorKind::kInvalidArgument);
  writer.reset();
  EXPECT_TRUE(NothingIsVisible());
}

TEST_F(DatasetWriterTest, AWriterThatIsGivenUpWaitsForItsWorkers) {
  WorkerPool workers(2);
  std::mt19937_64 random(2);
  const auto schema = SchemaOfNumbers(5);
  for (int i = 0; i < 10; ++i) {
    auto writer = DatasetWriter::Make(*store_, schema, {.workers = &workers}).ValueOrDie();
    ASSERT_TRUE(writer->Append(RandomBatch(schema, 100'000, random)).ok());
    writer.reset();
  }
  EXPECT_TRUE(NothingIsVisible());
}

TEST_F(DatasetWriterTest, MemoryDoesNotGrowWithTheUploadBeItNarrowOrWide) {
  std::mt19937_64 random(3);
  for (const int columns : {2, 100}) {
    WorkerPool workers(2);
    arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
    const auto schema = SchemaOfNumbers(columns);
    const auto batch = RandomBatch(schema, 400'000 / columns, random);
    const WriteSettings settings{.row_group_bytes = 16 << 20, .workers = &workers, .pool = &pool};
    auto writer = DatasetWriter::Make(*store_, schema, settings).ValueOrDie();
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(writer->Append(batch).ok());
    ASSERT_TRUE(writer->Finish().ok());
    EXPECT_GT(writer->rows() * columns * 8, 180 << 20);
    // A row group that is written, a quarter of the next, and the pages that are open.
    EXPECT_LT(pool.max_memory(), 56 << 20) << columns << " columns";
  }
}

}  // namespace
}  // namespace hangar
