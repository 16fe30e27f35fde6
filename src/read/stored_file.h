#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/mutex.h"
#include "catalog/catalog.h"
#include "read/scan_plan.h"

namespace parquet::arrow {
class FileReader;
}

namespace hangar {

class ColumnGroupDecoder;

/// A snapshot's file, open for decoding some of its top-level fields: what all parts of one scan
/// share. Thread-safe. Statuses hold Parquet's own words; they are for the log.
class StoredFile : public std::enable_shared_from_this<StoredFile> {
 public:
  /// Opens the file for the plan's slices, to be decoded in steps of about `decode_bytes`.
  static arrow::Result<std::shared_ptr<StoredFile>> Open(OpenSnapshot snapshot,
                                                         const ScanPlan& plan, int64_t decode_bytes,
                                                         arrow::MemoryPool* pool);
  ~StoredFile();

  /// About what a row of each of the plan's fields takes once decoded. From the sizes that writers
  /// record, where they do; a dictionary can otherwise hide the real size.
  const std::vector<int64_t>& row_bytes() const { return row_bytes_; }

  /// The rows of a step: decoders are cheapest when they are asked for so many at once.
  int64_t step_rows() const { return step_rows_; }

  /// A decoder of some fields (indices in the file's schema, ascending) of one row group.
  arrow::Result<std::unique_ptr<ColumnGroupDecoder>> OpenRowGroup(int row_group,
                                                                  const std::vector<int>& fields);

  const Footer& footer() const { return *snapshot_.snapshot.footer; }
  arrow::MemoryPool* pool() const { return pool_; }

 private:
  StoredFile(OpenSnapshot snapshot, const ScanPlan& plan, int64_t decode_bytes,
             arrow::MemoryPool* pool);

  const OpenSnapshot snapshot_;
  arrow::MemoryPool* const pool_;
  const std::vector<std::vector<int>> leaves_of_fields_;  // The Parquet columns of each field.
  const std::vector<int64_t> row_bytes_;
  const int64_t step_rows_;
  // Decoders that are open are independent of each other, opening them is not.
  Mutex opening_;
  std::unique_ptr<parquet::arrow::FileReader> file_ HANGAR_GUARDED_BY(opening_);
};

/// Decodes some fields of one row group from its first row on. One thread at a time.
class ColumnGroupDecoder {
 public:
  ~ColumnGroupDecoder();

  /// Passes over so many rows.
  arrow::Status Skip(int64_t rows);

  /// The next rows of each field, in its logical type, in one or more chunks.
  arrow::Result<std::vector<arrow::ArrayVector>> Decode(int64_t rows);

 private:
  friend class StoredFile;
  ColumnGroupDecoder(std::shared_ptr<StoredFile> file, std::shared_ptr<arrow::Schema> schema,
                     std::unique_ptr<arrow::RecordBatchReader> batches);

  // What is left of the batch in hand, or the next one, cut to `rows_max`.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Take(int64_t rows_max);

  const std::shared_ptr<StoredFile> file_;
  const std::shared_ptr<arrow::Schema> schema_;  // The fields' logical ones.
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::RecordBatch> in_hand_;
};

}  // namespace hangar
