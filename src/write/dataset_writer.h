#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "catalog/catalog.h"
#include "store/object_store.h"
#include "write/write_settings.h"

namespace hangar {

/// Encodes one upload as one Parquet file in staging and publishes it. Memory is about one encoded
/// row group. One thread at a time. Destroying it before Publish succeeded leaves nothing behind.
///
///   auto writer = DatasetWriter::Make(store, schema, settings);
///   for each batch: writer->Append(batch);
///   writer->Finish();                              // durable, verified, not visible yet
///   writer->Publish(name, Precondition::None());   // visible
class DatasetWriter {
 public:
  /// `staging` says where it will be published, and what may be held of the file in memory; with a
  /// key there, that is where it can be published.
  /// INVALID_ARGUMENT when Parquet cannot hold the schema, naming the field, or the settings are
  /// wrong; then nothing was staged.
  static arrow::Result<std::unique_ptr<DatasetWriter>> Make(ObjectStore& store,
                                                            std::shared_ptr<arrow::Schema> schema,
                                                            const WriteSettings& settings,
                                                            const StageOptions& staging = {});
  ~DatasetWriter();

  /// Adds a batch of the schema that the writer was made with; batches of any size are gathered
  /// into row groups. INVALID_ARGUMENT for a batch whose buffers are not consistent with its types:
  /// it comes from outside and is checked in full. RESOURCE_EXHAUSTED when the disk is full.
  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch);

  /// Writes the footer, makes the file durable, reads the footer back and compares its rows.
  arrow::Status Finish();

  /// Makes the finished file the dataset's content. What the store's Publish says.
  arrow::Result<Snapshot> Publish(const DatasetName& name, const Precondition& precondition);

  int64_t rows() const;

 private:
  class Encoder;
  explicit DatasetWriter(std::unique_ptr<Encoder> encoder);

  std::unique_ptr<Encoder> encoder_;
};

}  // namespace hangar
