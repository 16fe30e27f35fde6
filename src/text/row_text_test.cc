#include "text/row_text.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

std::shared_ptr<arrow::RecordBatch> People() {
  const auto names =
      arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a,b", "", null, "x\"y"])").ValueOrDie();
  const auto ages =
      arrow::json::ArrayFromJSONString(arrow::int64(), "[1, 2, 3, null]").ValueOrDie();
  const auto schema =
      arrow::schema({arrow::field("name", arrow::utf8()), arrow::field("a;ge", arrow::int64())});
  return arrow::RecordBatch::Make(schema, 4, {names, ages});
}

std::string AllOf(RowText& text) {
  const auto batch = People();
  std::string out;
  text.AppendHeader(&out);
  EXPECT_TRUE(text.SetBatch(batch).ok());
  for (int64_t row = 0; row < batch->num_rows(); ++row) text.AppendRow(row, &out);
  return out;
}

TEST(RowText, CsvQuotesWhatNeedsItAndTellsAnEmptyStringFromNull) {
  EXPECT_EQ(AllOf(*MakeCsvText(*People()->schema(), ',')),
            "name,a;ge\n\"a,b\",1\n\"\",2\n,3\n\"x\"\"y\",\n");
}

TEST(RowText, AnotherDelimiterIsQuotedInItsPlace) {
  EXPECT_EQ(AllOf(*MakeCsvText(*People()->schema(), ';')),
            "name;\"a;ge\"\na,b;1\n\"\";2\n;3\n\"x\"\"y\";\n");
}

TEST(RowText, JsonLinesAreAnObjectEach) {
  EXPECT_EQ(
      AllOf(*MakeJsonLinesText(*People()->schema())),
      "{\"name\":\"a,b\",\"a;ge\":1}\n{\"name\":\"\",\"a;ge\":2}\n{\"name\":null,\"a;ge\":3}\n"
      "{\"name\":\"x\\\"y\",\"a;ge\":null}\n");
}

}  // namespace
}  // namespace hangar
