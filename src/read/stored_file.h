#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/mutex.h"
#include "catalog/catalog.h"
#include "read/column_segment.h"
#include "read/file_layout.h"

namespace parquet {
class PageReader;
}
namespace parquet::arrow {
class FileReader;
}

namespace hangar {

class ColumnDecoder;
class FetchAhead;
struct LeafColumn;

/// A version as ColumnChunkKey names it.
std::array<uint64_t, 2> HashOfVersion(const std::string& version);

/// True of what decoders say of bytes that are damaged; false of errors of the store, and of
/// memory.
bool SaysDamage(const arrow::Status& status);

/// A snapshot's file, open for decoding column chunks: what all parts of a scan share. Thread-safe.
/// Statuses hold Parquet's own words; they are for the log.
class StoredFile : public std::enable_shared_from_this<StoredFile> {
 public:
  /// `ahead` fetches what is read; nullptr: it is read when it is needed.
  static std::shared_ptr<StoredFile> Make(OpenSnapshot snapshot,
                                          std::shared_ptr<const FileLayout> layout,
                                          arrow::MemoryPool* pool,
                                          std::shared_ptr<FetchAhead> ahead = nullptr);
  ~StoredFile();

  const Footer& footer() const { return *snapshot_.snapshot.footer; }
  const FileLayout& layout() const { return *layout_; }
  arrow::MemoryPool* pool() const { return pool_; }
  ColumnChunkKey KeyOf(int row_group, int field) const {
    return {.version = version_, .row_group = row_group, .field = field};
  }
  int64_t RowsOf(int row_group) const;

  /// What a scan's slices before this one take is not wanted any more.
  void PassSlices(size_t slice);
  /// The scan that it was opened for has ended.
  void StopFetching();

  /// A decoder of one field of one row group, which gives arrays of the field's type in the
  /// footer's read schema. It holds this file.
  arrow::Result<std::unique_ptr<ColumnDecoder>> OpenColumnChunk(int row_group, int field);
  /// What a decoder of it read turned out to be damaged. True where that may have happened on its
  /// way here: then another decoder reads it from the store anew.
  bool DiscardColumnChunk(int row_group, int field);

 private:
  StoredFile(OpenSnapshot snapshot, std::shared_ptr<const FileLayout> layout,
             arrow::MemoryPool* pool, std::shared_ptr<FetchAhead> ahead);

  // nullptr when it takes Arrow's own reader.
  arrow::Result<std::unique_ptr<ColumnDecoder>> OpenWithoutArrow(int row_group, int field);
  std::unique_ptr<parquet::PageReader> OpenPages(const LeafColumn& leaf) const;
  arrow::Result<std::unique_ptr<ColumnDecoder>> OpenWithArrow(int row_group, int field);

  const OpenSnapshot snapshot_;
  const std::shared_ptr<const FileLayout> layout_;
  arrow::MemoryPool* const pool_;
  const std::shared_ptr<FetchAhead> ahead_;
  const std::array<uint64_t, 2> version_;
  Mutex opening_;  // Decoders that are open are independent of each other, opening them is not.
  std::unique_ptr<parquet::arrow::FileReader> arrow_reader_ HANGAR_GUARDED_BY(opening_);
};

}  // namespace hangar
