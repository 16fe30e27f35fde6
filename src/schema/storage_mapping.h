#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace parquet {
class ArrowReaderProperties;
class FileMetaData;
}  // namespace parquet

// What a client puts comes back exactly as it was put, although Parquet knows fewer types than
// Arrow. A table has a logical schema, which clients see, and a storage schema, which Arrow's
// Parquet writer and reader carry through a file unchanged. This header maps between the two; which
// type is stored as what stands in docs/protocol.md.
//
// Writing:
//   CheckStorable(*schema);                                  // before anything is written
//   auto mapping = StorageMapping::Make(schema);
//   auto writer = parquet::arrow::FileWriter::Open(*mapping->storage_schema(), ..., store_schema);
//   for each batch: writer->WriteRecordBatch(*mapping->ToStorage(batch, pool));
//
// Reading:
//   footer = ReadableFooter(footer);                         // once, where the footer is parsed
//   auto mapping = MakeReadMapping(*footer);
//   reader over `footer` with StoredFileReaderProperties(); for each decoded batch:
//   for (batch : ToLogicalBatches(decoded, selected fields of mapping.logical_schema, pool)) ...
//
// All functions are pure and may be called from any thread; none performs I/O.

namespace hangar {

/// The most levels that fields may be nested in one another, the column itself included.
inline constexpr int kSchemaNestingMax = 64;
/// The most fields that a schema may have, nested ones included.
inline constexpr int kSchemaFieldsMax = 100'000;

/// INVALID_ARGUMENT for a schema that Parquet cannot hold, or one beyond the two limits above. The
/// sentence names the field as a path, in which `[]` stands for the items of a list and `.key` and
/// `.value` for those of a map (`orders.items[].kind`), and its type.
arrow::Status CheckStorable(const arrow::Schema& schema);

/// How the batches of one logical schema are stored. Immutable, thread-safe.
class StorageMapping {
 public:
  /// The mapping of a schema; refuses what CheckStorable refuses. The keys that a Parquet file
  /// needs for itself (`ARROW:schema`, `hangar:schema`) are dropped from the schema's metadata.
  static arrow::Result<std::shared_ptr<const StorageMapping>> Make(
      std::shared_ptr<arrow::Schema> logical);

  const std::shared_ptr<arrow::Schema>& logical_schema() const { return logical_; }

  /// What is handed to Arrow's Parquet writer, with store_schema() set and Parquet version 2.6. Its
  /// metadata holds what MakeReadMapping needs to find the logical schema again.
  const std::shared_ptr<arrow::Schema>& storage_schema() const { return storage_; }

  /// The batch in the storage schema. Columns that are stored as they are share their memory with
  /// `batch`. INVALID_ARGUMENT, naming the column, when the batch is of another schema or holds
  /// what cannot be stored: a second that milliseconds cannot count, or a null in a field that is
  /// declared not to have any. `batch` must be valid in the sense of RecordBatch::ValidateFull.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToStorage(
      const std::shared_ptr<arrow::RecordBatch>& batch, arrow::MemoryPool* pool) const;

 private:
  StorageMapping(std::shared_ptr<arrow::Schema> logical, std::shared_ptr<arrow::Schema> storage)
      : logical_(std::move(logical)), storage_(std::move(storage)) {}

  const std::shared_ptr<arrow::Schema> logical_;
  const std::shared_ptr<arrow::Schema> storage_;
};

/// The footer to read a file with: nearly always `footer` itself. Where the Arrow schema that a
/// file carries is damaged, does not fit its columns, or would lead Arrow's reader into types that
/// it does not read well (null fixed-size lists, nested dictionaries), this is the same footer
/// with a better one. DATA_LOSS when the file's columns are nothing that Arrow can read.
arrow::Result<std::shared_ptr<parquet::FileMetaData>> ReadableFooter(
    std::shared_ptr<parquet::FileMetaData> footer);

/// What clients see of a stored file.
struct ReadMapping {
  /// The schema as it was put; for a file of another writer its Arrow schema if it carries one that
  /// fits, else what Parquet's own types say. Never holds keys that a file has for itself.
  std::shared_ptr<arrow::Schema> logical_schema;
  /// What parquet::arrow::FileReader yields with StoredFileReaderProperties(): as many fields as
  /// the logical schema, in the same order.
  std::shared_ptr<arrow::Schema> read_schema;
};

/// The mapping of a file by its footer, which came out of ReadableFooter. A column for which the
/// file's metadata claims a type that its Parquet type cannot be given back in gets the type that
/// Parquet's reader derives. DATA_LOSS when the columns are nothing that Arrow can read.
arrow::Result<ReadMapping> MakeReadMapping(const parquet::FileMetaData& footer);

/// The Arrow reader properties that every read of a stored file uses. Batch size, threads and
/// buffering are for the caller to set on its copy.
parquet::ArrowReaderProperties StoredFileReaderProperties();

/// Gives a decoded column back in its logical type. `decoded` is of the type that read_schema says
/// or a slice of it; `logical_type` is the type that logical_schema says. No copy where the two are
/// equal, nor where they differ in names only. CapacityError (Status::IsCapacityError) when
/// `decoded` holds more different values than the index type of a dictionary can number: halve it
/// and try again, as ToLogicalBatches does. DATA_LOSS when the values do not fit the type.
arrow::Result<std::shared_ptr<arrow::Array>> ToLogical(
    const std::shared_ptr<arrow::Array>& decoded,
    const std::shared_ptr<arrow::DataType>& logical_type, arrow::MemoryPool* pool);

/// A decoded batch in the logical schema of its columns: one batch, save where dictionaries with a
/// narrow index type make it several, which together hold the same rows in the same order. `schema`
/// holds one field of logical_schema for each column of `decoded`.
arrow::Result<arrow::RecordBatchVector> ToLogicalBatches(
    const std::shared_ptr<arrow::RecordBatch>& decoded,
    const std::shared_ptr<arrow::Schema>& schema, arrow::MemoryPool* pool);

}  // namespace hangar
