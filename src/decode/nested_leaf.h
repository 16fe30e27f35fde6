#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "decode/column_values.h"
#include "decode/data_page.h"
#include "decode/level_reader.h"
#include "decode/nested_field.h"
#include "decode/validity_builder.h"

namespace parquet {
class DataPage;
class Page;
class PageReader;
}  // namespace parquet

namespace hangar {

/// Levels of whole rows of one column, a byte each.
struct Levels {
  const uint8_t* repetition = nullptr;  ///< nullptr in a column without lists: all zero.
  const uint8_t* definition = nullptr;
  int64_t count = 0;
};

/// Reads one column of a nested field: its levels, from which the fields around it are made, and
/// its own array. What comes out of it is consistent in itself, whatever the file holds: levels
/// within their bounds, the first one of a row's with repetition 0, lists continued only where they
/// have items. May throw Parquet's exceptions. Unusable after an error.
class NestedLeaf {
 public:
  /// Of the field `leaf`; both `leaf` and `pool` must outlive it.
  static arrow::Result<std::unique_ptr<NestedLeaf>> Make(std::unique_ptr<parquet::PageReader> pages,
                                                         const LeafColumn& column,
                                                         const NestedField& leaf, int64_t rows,
                                                         arrow::MemoryPool* pool);
  ~NestedLeaf();

  /// Passes over the next `rows` rows.
  arrow::Status Skip(int64_t rows);

  /// Reads the next `rows` (> 0) rows; Finish comes next.
  arrow::Status Read(int64_t rows);

  /// Of the rows that were read last. They stay until Finish.
  Levels levels() const;

  /// How many slots the array has that Finish gives.
  int64_t slots() const { return validity_.length(); }

  arrow::Result<std::shared_ptr<arrow::ArrayData>> Finish();

 private:
  // Levels that are read and looked through at once: they stay in the processor's nearest cache.
  static constexpr int64_t kBlock = 4096;

  // Bytes that are appended to.
  class Bytes {
   public:
    explicit Bytes(arrow::MemoryPool* pool) : pool_(pool) {}
    arrow::Status Append(const uint8_t* bytes, int64_t count);
    void Clear();
    const uint8_t* data() const;
    int64_t size() const { return size_; }

   private:
    arrow::MemoryPool* const pool_;
    std::shared_ptr<arrow::ResizableBuffer> buffer_;
    int64_t size_ = 0;
  };

  NestedLeaf(std::unique_ptr<parquet::PageReader> pages, std::unique_ptr<ColumnValues> values,
             const LeafColumn& column, const NestedField& leaf, int64_t rows,
             arrow::MemoryPool* pool);

  arrow::Status Pass(int64_t rows, bool keep);
  arrow::Result<bool> NextBlock();
  arrow::Result<bool> NextPage();
  arrow::Status SetDataPage(const parquet::DataPage& page);
  bool LevelsAreSound(int64_t count) const;
  int64_t EndOfRows();
  arrow::Status SkipLevels(int64_t begin, int64_t end);
  arrow::Status AppendLevels(int64_t begin, int64_t end);

  const uint8_t* definition(int64_t i) const { return definition_ + 1 + i; }

  const std::unique_ptr<parquet::PageReader> pages_;
  const std::unique_ptr<ColumnValues> values_;
  const NestedField& leaf_;
  const int max_repetition_;
  const int max_definition_;

  int64_t rows_left_;         // Rows of the row group that were not passed yet.
  int64_t rows_unseen_;       // Rows of pages that were not opened yet, in a column without lists.
  int64_t rows_to_pass_ = 0;  // Rows that are still to begin of those that are being passed,
  bool skipping_ = false;     // and only passed.
  bool has_dictionary_ = false;
  std::shared_ptr<parquet::Page> page_;
  int64_t page_levels_left_ = 0;
  LevelReader repetition_reader_;
  LevelReader definition_reader_;

  // The levels of the page that were read last; those from `block_begin_` on are still to pass.
  int64_t block_begin_ = 0;
  int64_t block_end_ = 0;
  uint8_t repetition_[kBlock] = {};
  uint8_t definition_[1 + kBlock] = {};  // Behind the last one of the block before.

  // The rows that are being read.
  Bytes repetitions_;
  Bytes definitions_;
  ValidityBuilder validity_;
  double slots_per_row_;
  int64_t slots_room_ = 0;
};

}  // namespace hangar
