#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/schema.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "schema/schema_metadata.h"
#include "schema/storage_mapping.h"
#include "schema/storage_type.h"

namespace hangar {
namespace {

using arrow::Result;
using arrow::Status;
using MetadataPtr = std::shared_ptr<const arrow::KeyValueMetadata>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

Status Unreadable(std::string_view why) {
  return Error(ErrorKind::kDataLoss, "the file's columns are none that Arrow can read: {}", why);
}

// What parquet::arrow::FileReader makes of these columns with this key-value metadata.
Result<SchemaPtr> DecodedSchema(const parquet::SchemaDescriptor& columns,
                                const MetadataPtr& metadata) {
  try {
    SchemaPtr schema;
    ARROW_RETURN_NOT_OK(parquet::arrow::FromParquetSchema(&columns, StoredFileReaderProperties(),
                                                          metadata, &schema));
    return schema;
  } catch (const std::exception& e) {
    return Status::Invalid(e.what());
  }
}

Result<std::shared_ptr<parquet::FileMetaData>> WithMetadata(
    const std::shared_ptr<parquet::FileMetaData>& footer, const MetadataPtr& metadata) {
  try {
    parquet::WriterProperties::Builder properties;
    properties.version(footer->version())->created_by(footer->created_by());
    auto builder = parquet::FileMetaDataBuilder::Make(footer->schema(), properties.build());
    std::shared_ptr<parquet::FileMetaData> copy = builder->Finish(metadata);
    copy->AppendRowGroups(*footer);
    return copy;
  } catch (const std::exception& e) {
    return Unreadable(e.what());
  }
}

// The Arrow schema that Arrow's writer left, where it may be of these columns; else null.
SchemaPtr FindStoredSchema(const MetadataPtr& metadata, int num_fields) {
  SchemaPtr stored = FindSchema(metadata, kArrowSchemaKey);
  const bool usable =
      stored != nullptr && stored->num_fields() == num_fields && CheckStorable(*stored).ok();
  return usable ? stored : nullptr;
}

// The key-value metadata that leads Arrow's reader to the storage schema of what was put, or
// metadata without any Arrow schema when the file's own is of no use.
Result<MetadataPtr> BetterMetadata(const parquet::FileMetaData& footer) {
  const MetadataPtr& metadata = footer.key_value_metadata();
  const SchemaPtr stored = FindStoredSchema(metadata, footer.schema()->group_node()->field_count());
  if (stored == nullptr) return WithoutKey(metadata, kArrowSchemaKey);
  ARROW_ASSIGN_OR_RAISE(auto mapping, StorageMapping::Make(stored));
  // A storage schema is stored as it is, so this holds for all files that were put.
  if (mapping->storage_schema()->Equals(*mapping->logical_schema(), /*check_metadata=*/true)) {
    return metadata;
  }
  ARROW_ASSIGN_OR_RAISE(std::string storage, EncodeSchema(*mapping->storage_schema()));
  ARROW_ASSIGN_OR_RAISE(std::string logical, EncodeSchema(*mapping->logical_schema()));
  return WithKey(WithKey(metadata, kArrowSchemaKey, std::move(storage)), kLogicalSchemaKey,
                 std::move(logical));
}

// The schema that a file claims to have been put with.
SchemaPtr ClaimedSchema(const MetadataPtr& metadata, int num_fields) {
  const SchemaPtr stored = FindStoredSchema(metadata, num_fields);
  const SchemaPtr logical = FindSchema(metadata, kLogicalSchemaKey);
  if (stored == nullptr || logical == nullptr) return stored;
  // Other tools carry unknown keys along when they write a changed table: what such a key says is
  // true only beside the storage schema that it was written with.
  const auto mapping = StorageMapping::Make(logical);
  if (!mapping.ok()) return stored;
  const auto bare = [](const arrow::Schema& schema) {
    return schema.WithMetadata(WithoutInternalKeys(schema.metadata()));
  };
  const bool together =
      bare(*(*mapping)->storage_schema())->Equals(*bare(*stored), /*check_metadata=*/true);
  return together ? logical : stored;
}

}  // namespace

parquet::ArrowReaderProperties StoredFileReaderProperties() {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  // Columns of Parquet's own UUID and JSON types are arrow.uuid and arrow.json, whoever wrote them.
  properties.set_arrow_extensions_enabled(true);
  return properties;
}

Result<std::shared_ptr<parquet::FileMetaData>> ReadableFooter(
    std::shared_ptr<parquet::FileMetaData> footer) {
  const MetadataPtr metadata = footer->key_value_metadata();
  if (metadata == nullptr || metadata->FindKey(kArrowSchemaKey) < 0) return footer;
  ARROW_ASSIGN_OR_RAISE(MetadataPtr better, BetterMetadata(*footer));
  if (!DecodedSchema(*footer->schema(), better).ok()) {
    better = WithoutKey(better, kArrowSchemaKey);
  }
  if (better == metadata) return footer;
  return WithMetadata(footer, better);
}

Result<ReadMapping> MakeReadMapping(const parquet::FileMetaData& footer) {
  const MetadataPtr& metadata = footer.key_value_metadata();
  Result<SchemaPtr> decoded = DecodedSchema(*footer.schema(), metadata);
  if (!decoded.ok()) return Unreadable(decoded.status().message());

  ReadMapping mapping;
  mapping.read_schema = *decoded;
  const SchemaPtr claimed = ClaimedSchema(metadata, mapping.read_schema->num_fields());
  if (claimed == nullptr) {
    mapping.logical_schema =
        mapping.read_schema->WithMetadata(WithoutInternalKeys(mapping.read_schema->metadata()));
    return mapping;
  }
  arrow::FieldVector fields;
  for (int i = 0; i < claimed->num_fields(); ++i) {
    const auto& read = mapping.read_schema->field(i);
    const auto& wanted = claimed->field(i);
    const bool fits = read->name() == wanted->name() && CanGiveBack(*read, *wanted);
    fields.push_back(fits ? wanted : read);
  }
  mapping.logical_schema =
      arrow::schema(std::move(fields), WithoutInternalKeys(claimed->metadata()));
  return mapping;
}

}  // namespace hangar
