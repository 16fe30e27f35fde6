#include "service/upload_limits.h"

#include <string>
#include <utility>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

// Takes whatever comes.
class Recorder final : public Upload {
 public:
  explicit Recorder(int64_t* batches) : batches_(batches) {}
  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>&) override {
    ++*batches_;
    return arrow::Status::OK();
  }
  arrow::Result<UploadResult> Commit() override { return UploadResult{.dataset = "committed"}; }

 private:
  int64_t* const batches_;
};

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t rows) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendEmptyValues(rows).ok());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("x", arrow::int64())}), rows,
                                  {builder.Finish().ValueOrDie()});
}

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type,
                                   const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

TEST(UploadLimits, BatchesGoThroughUntilTheirBytesAreTooMany) {
  int64_t batches = 0;
  const auto upload = KeepWithin({.bytes = 3000}, std::make_unique<Recorder>(&batches));
  EXPECT_TRUE(upload->Append(Numbers(100)).ok());
  EXPECT_TRUE(upload->Append(Numbers(100)).ok());
  const auto refused = upload->Append(Numbers(300));
  EXPECT_EQ(KindOf(refused), ErrorKind::kResourceExhausted) << refused;
  EXPECT_NE(refused.message().find("max_upload_bytes"), std::string::npos) << refused;
  EXPECT_EQ(batches, 2);
}

TEST(UploadLimits, ADictionaryIsNotCountedAgainWithEachBatch) {
  const auto text = Json(arrow::utf8(), "[\"" + std::string(2000, 'x') + "\"]");
  const auto indices = Json(arrow::int32(), "[0, 0]");
  const auto column = arrow::DictionaryArray::FromArrays(indices, text).ValueOrDie();
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("x", column->type())}),
                                              column->length(), {column});
  int64_t batches = 0;
  const auto upload = KeepWithin({.bytes = 3000}, std::make_unique<Recorder>(&batches));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(upload->Append(batch).ok());
  EXPECT_EQ(batches, 5);
  EXPECT_EQ(upload->Commit()->dataset, "committed");
}

TEST(UploadLimits, ASchemaIsRefusedForItsColumnsOrItsMetadataAtAnyDepth) {
  const UploadLimits limits{.columns = 2, .metadata_bytes = 100};
  const auto field = arrow::field("x", arrow::int8());
  EXPECT_TRUE(CheckSchemaWithin(limits, *arrow::schema({field, field})).ok());
  const auto long_note = arrow::key_value_metadata({"note"}, {std::string(200, 'n')});
  const auto noted = arrow::field("y", arrow::int8())->WithMetadata(long_note);
  const std::pair<std::string, std::shared_ptr<arrow::Schema>> refused[] = {
      {"max_columns", arrow::schema({field, field, field})},
      {"max_metadata_bytes", arrow::schema({field}, long_note)},
      {"max_metadata_bytes", arrow::schema({arrow::field(std::string(200, 'x'), arrow::int8())})},
      {"max_metadata_bytes", arrow::schema({arrow::field("x", arrow::list(noted))})},
      {"max_metadata_bytes", arrow::schema({arrow::field(
                                 "x", arrow::dictionary(arrow::int8(), arrow::struct_({noted})))})},
  };
  for (const auto& [setting, schema] : refused) {
    const auto status = CheckSchemaWithin(limits, *schema);
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument) << schema->ToString();
    EXPECT_NE(status.message().find(setting), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace hangar
