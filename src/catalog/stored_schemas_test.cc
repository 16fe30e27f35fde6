#include "catalog/stored_schemas.h"

#include <memory>
#include <string>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

namespace hangar {
namespace {

// The footer of a file as Arrow's writer makes it, with `rows` rows of zeros.
std::shared_ptr<parquet::FileMetaData> FooterOf(const std::shared_ptr<arrow::Schema>& schema,
                                                int64_t rows) {
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    const auto zero = arrow::MakeScalar(field->type(), 0).ValueOrDie();
    columns.push_back(arrow::MakeArrayFromScalar(*zero, rows).ValueOrDie());
  }
  const auto table = arrow::Table::Make(schema, columns, rows);
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(
      parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 1024,
                                 parquet::default_writer_properties(),
                                 parquet::ArrowWriterProperties::Builder().store_schema()->build())
          .ok());
  const auto file = std::make_shared<arrow::io::BufferReader>(sink->Finish().ValueOrDie());
  return parquet::ParquetFileReader::Open(file)->metadata();
}

std::shared_ptr<arrow::Schema> SchemaOf(const std::string& name,
                                        const std::shared_ptr<arrow::DataType>& type,
                                        const std::string& comment = "") {
  const auto schema = arrow::schema({arrow::field(name, type)});
  return schema->WithMetadata(arrow::key_value_metadata({"comment"}, {comment}));
}

std::shared_ptr<const StoredSchema> Of(StoredSchemas& schemas,
                                       const std::shared_ptr<parquet::FileMetaData>& footer) {
  const auto read = schemas.Of(footer);
  EXPECT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->footer->num_rows(), footer->num_rows());
  return read->schema;
}

TEST(StoredSchemas, FilesOfOneSchemaShareItWhateverElseTheyHold) {
  StoredSchemas schemas;
  const auto schema = SchemaOf("a", arrow::int64());
  const auto first = Of(schemas, FooterOf(schema, 1));
  EXPECT_TRUE(first->logical_schema->Equals(*schema, /*check_metadata=*/true));
  EXPECT_EQ(Of(schemas, FooterOf(schema, 5000)), first);
  EXPECT_EQ(Of(schemas, FooterOf(schema, 0)), first);
}

TEST(StoredSchemas, WhatDiffersInNameTypeNullsOrMetadataIsNotShared) {
  StoredSchemas schemas;
  const auto plain = SchemaOf("a", arrow::int64());
  const auto not_null = plain->SetField(0, plain->field(0)->WithNullable(false)).ValueOrDie();
  for (const auto& schema :
       {plain, not_null, SchemaOf("b", arrow::int64()), SchemaOf("a", arrow::int32()),
        SchemaOf("a", arrow::uint64()), SchemaOf("a", arrow::int64(), "other")}) {
    EXPECT_TRUE(
        Of(schemas, FooterOf(schema, 1))->logical_schema->Equals(*schema, /*check_metadata=*/true))
        << schema->ToString();
  }
}

TEST(StoredSchemas, ManySchemasAreAllToldApart) {
  StoredSchemas schemas;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      const auto schema = SchemaOf("column " + std::to_string(i), arrow::int64());
      EXPECT_EQ(Of(schemas, FooterOf(schema, 1))->logical_schema->field(0)->name(),
                schema->field(0)->name());
    }
  }
}

TEST(StoredSchemas, TheIpcMessageIsThatOfTheLogicalSchema) {
  StoredSchemas schemas;
  const auto schema = SchemaOf("a", arrow::uint8(), "kept");
  const auto message = arrow::ipc::SerializeSchema(*schema).ValueOrDie();
  EXPECT_EQ(*Of(schemas, FooterOf(schema, 3))->ipc_schema, message->ToString());
}

}  // namespace
}  // namespace hangar
