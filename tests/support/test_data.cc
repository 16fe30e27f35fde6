#include "tests/support/test_data.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "catalog/dataset_name.h"
#include "write/dataset_writer.h"

namespace hangar {

std::shared_ptr<arrow::Schema> NumberedSchema() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8()),
                        arrow::field("half", arrow::float64())});
}

std::shared_ptr<arrow::RecordBatch> NumberedBatch(int64_t begin, int64_t rows) {
  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  arrow::DoubleBuilder halves;
  for (int64_t row = begin; row < begin + rows; ++row) {
    EXPECT_TRUE(ids.Append(row).ok());
    EXPECT_TRUE(
        (row % 7 == 3 ? names.AppendNull() : names.Append("row " + std::to_string(row))).ok());
    EXPECT_TRUE(halves.Append(static_cast<double>(row) / 2).ok());
  }
  return arrow::RecordBatch::Make(
      NumberedSchema(), rows,
      {ids.Finish().ValueOrDie(), names.Finish().ValueOrDie(), halves.Finish().ValueOrDie()});
}

ObjectInfo StoreNumbered(ObjectStore& store, const std::string& name, int64_t rows,
                         const WriteSettings& settings) {
  constexpr int64_t kBatchRows = 1000;
  auto writer = DatasetWriter::Make(store, NumberedSchema(), settings).ValueOrDie();
  for (int64_t begin = 0; begin < rows; begin += kBatchRows) {
    const auto batch = NumberedBatch(begin, std::min(kBatchRows, rows - begin));
    EXPECT_TRUE(writer->Append(batch).ok());
  }
  EXPECT_TRUE(writer->Finish().ok());
  return writer->Publish(DatasetName::Parse(name).ValueOrDie(), Precondition::None())
      .ValueOrDie()
      .object;
}

ObjectInfo StoreBytes(ObjectStore& store, const std::string& name, const std::string& bytes) {
  auto staged = store.Stage({}).ValueOrDie();
  EXPECT_TRUE(staged->Append(bytes.data(), static_cast<int64_t>(bytes.size())).ok());
  EXPECT_TRUE(staged->Seal().ok());
  return staged->Publish(name, Precondition::None()).ValueOrDie();
}

std::string LoadBytes(ObjectStore& store, const std::string& name) {
  auto reader = store.Open(name).ValueOrDie();
  std::string bytes(static_cast<size_t>(reader->info().size_bytes), '\0');
  EXPECT_TRUE(reader->ReadAt(0, reader->info().size_bytes, bytes.data()).ok());
  return bytes;
}

}  // namespace hangar
