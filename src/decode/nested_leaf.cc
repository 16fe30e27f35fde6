#include "decode/nested_leaf.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "decode/make_column_values.h"

namespace hangar {
namespace {

using arrow::internal::checked_cast;

// What was seen of lists, or what a file says of them, makes no more room than for so many items
// before there are any: one list may be far longer than all others.
constexpr double kGuessedSlotsMax = 1 << 17;
// A guess of how many items there will be is made larger by 1 / 32.
constexpr double kSpareShare = 1.0 / 32;
// More levels than this are not held from one array to the next.
constexpr int64_t kLevelBytesKeptMax = 1 << 20;

arrow::Status Malformed(const char* what) { return arrow::Status::IOError(what); }

LevelReader Open(const EncodedLevels& levels, int max_level) {
  if (max_level == 0) return {};
  return levels.packed ? LevelReader::Packed(levels.data, levels.size, max_level)
                       : LevelReader::Hybrid(levels.data, levels.size, max_level);
}

}  // namespace

arrow::Status NestedLeaf::Bytes::Append(const uint8_t* bytes, int64_t count) {
  if (buffer_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(buffer_, arrow::AllocateResizableBuffer(kBlock, pool_));
  }
  const int64_t needed = size_ + count;
  if (needed > buffer_->size()) {
    ARROW_RETURN_NOT_OK(buffer_->Resize(std::max(needed, 2 * buffer_->size()), false));
  }
  if (count > 0) std::memcpy(buffer_->mutable_data() + size_, bytes, static_cast<size_t>(count));
  size_ = needed;
  return arrow::Status::OK();
}

void NestedLeaf::Bytes::Clear() {
  size_ = 0;
  if (buffer_ != nullptr && buffer_->size() > kLevelBytesKeptMax) buffer_ = nullptr;
}

const uint8_t* NestedLeaf::Bytes::data() const {
  return buffer_ == nullptr ? nullptr : buffer_->data();
}

NestedLeaf::NestedLeaf(std::unique_ptr<parquet::PageReader> pages,
                       std::unique_ptr<ColumnValues> values, const LeafColumn& column,
                       const NestedField& leaf, int64_t rows, arrow::MemoryPool* pool)
    : pages_(std::move(pages)),
      values_(std::move(values)),
      leaf_(leaf),
      max_repetition_(column.column->max_repetition_level()),
      max_definition_(column.column->max_definition_level()),
      rows_left_(rows),
      rows_unseen_(rows),
      repetitions_(pool),
      definitions_(pool),
      validity_(pool),
      slots_per_row_(static_cast<double>(std::max<int64_t>(column.chunk->num_values(), 0)) /
                     static_cast<double>(std::max<int64_t>(rows, 1))) {
  // Pages that are passed over as a whole are neither read nor decompressed. With lists that takes
  // a page that begins with a row and says how many it has: one of version 2.
  pages_->set_data_page_filter([this](const parquet::DataPageStats& page) {
    const int64_t rows_of_page = max_repetition_ == 0 ? page.num_values : page.num_rows.value_or(0);
    if (!skipping_ || rows_of_page <= 0 || rows_of_page > rows_to_pass_) return false;
    rows_to_pass_ -= rows_of_page;
    rows_unseen_ -= rows_of_page;
    definition_[block_end_] = 0;  // No list goes on behind it.
    return true;
  });
}

NestedLeaf::~NestedLeaf() = default;

arrow::Result<std::unique_ptr<NestedLeaf>> NestedLeaf::Make(
    std::unique_ptr<parquet::PageReader> pages, const LeafColumn& column, const NestedField& leaf,
    int64_t rows, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto values,
                        MakeColumnValues(*column.column, *column.chunk, *leaf.type, pool));
  return std::unique_ptr<NestedLeaf>(
      new NestedLeaf(std::move(pages), std::move(values), column, leaf, rows, pool));
}

arrow::Status NestedLeaf::Skip(int64_t rows) { return Pass(rows, /*keep=*/false); }

arrow::Status NestedLeaf::Read(int64_t rows) {
  const double guess = static_cast<double>(rows) * slots_per_row_ * (1 + kSpareShare);
  slots_room_ =
      max_repetition_ == 0 ? rows : static_cast<int64_t>(std::min(guess, kGuessedSlotsMax));
  ARROW_RETURN_NOT_OK(values_->Begin(slots_room_));
  validity_.Begin(slots_room_);
  ARROW_RETURN_NOT_OK(Pass(rows, /*keep=*/true));
  slots_per_row_ = static_cast<double>(slots()) / static_cast<double>(rows);
  return arrow::Status::OK();
}

Levels NestedLeaf::levels() const {
  return {.repetition = max_repetition_ == 0 ? nullptr : repetitions_.data(),
          .definition = definitions_.data(),
          .count = definitions_.size()};
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> NestedLeaf::Finish() {
  const int64_t length = slots();
  ARROW_ASSIGN_OR_RAISE(auto parts, values_->Finish());
  if (parts.size() != 1) {
    return arrow::Status::NotImplemented("more bytes in a nested column than an array can hold");
  }
  // A field that cannot be null itself has no values where one around it is null.
  const int64_t null_count = leaf_.nullable ? validity_.null_count() : 0;
  ARROW_ASSIGN_OR_RAISE(auto validity, validity_.Finish());
  std::vector<std::shared_ptr<arrow::Buffer>> buffers = {leaf_.nullable ? std::move(validity)
                                                                        : nullptr};
  std::ranges::move(parts.front().buffers, std::back_inserter(buffers));
  repetitions_.Clear();
  definitions_.Clear();
  return arrow::ArrayData::Make(leaf_.type, length, std::move(buffers), null_count);
}

arrow::Status NestedLeaf::Pass(int64_t rows, bool keep) {
  if (rows == 0) return arrow::Status::OK();
  rows_to_pass_ = rows;
  rows_left_ -= rows;
  skipping_ = !keep;
  while (true) {
    if (block_begin_ == block_end_) {
      // The last row may go on in the next page, if it holds lists.
      if (rows_to_pass_ == 0 && max_repetition_ == 0) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool more, NextBlock());
      if (!more && rows_to_pass_ == 0) return arrow::Status::OK();
      if (!more) return Malformed("a column chunk holds fewer rows than the footer says");
    }
    const int64_t begin = block_begin_;
    block_begin_ = EndOfRows();
    ARROW_RETURN_NOT_OK(keep ? AppendLevels(begin, block_begin_) : SkipLevels(begin, block_begin_));
    if (block_begin_ == block_end_) continue;
    if (rows_left_ > 0) return arrow::Status::OK();
    return Malformed("a column chunk holds more rows than the footer says");
  }
}

// Reads the next levels, of the next page if need be. False at the chunk's end.
arrow::Result<bool> NestedLeaf::NextBlock() {
  while (page_levels_left_ == 0) {
    ARROW_ASSIGN_OR_RAISE(const bool opened, NextPage());
    if (!opened) return false;
  }
  const int64_t count = std::min(page_levels_left_, kBlock);
  definition_[0] = definition_[block_end_];
  if ((max_repetition_ > 0 && !repetition_reader_.Read(count, repetition_)) ||
      (max_definition_ > 0 && !definition_reader_.Read(count, definition_ + 1))) {
    return Malformed("a page has too few levels");
  }
  if (!LevelsAreSound(count)) return Malformed("levels that contradict each other");
  page_levels_left_ -= count;
  block_begin_ = 0;
  block_end_ = count;
  return true;
}

// Opens the next data page of the chunk; false if there is none.
arrow::Result<bool> NestedLeaf::NextPage() {
  page_ = pages_->NextPage();
  if (page_ == nullptr) return false;
  if (page_->type() != parquet::PageType::DICTIONARY_PAGE) {
    ARROW_RETURN_NOT_OK(SetDataPage(checked_cast<const parquet::DataPage&>(*page_)));
    return true;
  }
  const auto& dictionary = checked_cast<const parquet::DictionaryPage&>(*page_);
  if (std::exchange(has_dictionary_, true)) {
    return Malformed("a column chunk has two dictionaries");
  }
  if (dictionary.encoding() != parquet::Encoding::PLAIN &&
      dictionary.encoding() != parquet::Encoding::PLAIN_DICTIONARY) {
    return Malformed("a dictionary in an unknown encoding");
  }
  ARROW_RETURN_NOT_OK(
      values_->SetDictionary(dictionary.num_values(), dictionary.data(), dictionary.size()));
  return NextPage();
}

arrow::Status NestedLeaf::SetDataPage(const parquet::DataPage& page) {
  if (max_repetition_ == 0) {
    rows_unseen_ -= page.num_values();
    if (rows_unseen_ < 0) return Malformed("a column chunk holds more rows than the footer says");
  }
  ARROW_ASSIGN_OR_RAISE(const DataPageParts parts,
                        SplitDataPage(page, max_repetition_, max_definition_));
  page_levels_left_ = page.num_values();
  repetition_reader_ = Open(parts.repetition, max_repetition_);
  definition_reader_ = Open(parts.definition, max_definition_);
  return values_->SetPage(parts.values);
}

// Whether the block's first `count` levels are within their bounds, and continue no list but one
// that has an item before and gets another: whoever builds arrays of them need not look again.
bool NestedLeaf::LevelsAreSound(int64_t count) const {
  // Loops without a branch in them, over bytes alone: they are vectorised.
  const auto max_repetition = static_cast<uint8_t>(max_repetition_);
  const auto max_definition = static_cast<uint8_t>(max_definition_);
  uint8_t unsound = 0;
  for (int64_t i = 0; i < count; ++i) {
    unsound |= static_cast<uint8_t>(definition_[1 + i] > max_definition ? 1 : 0);
  }
  for (uint8_t level = 1; level <= max_repetition; ++level) {
    const uint8_t items = leaf_.item_definitions[level - size_t{1}];
    for (int64_t i = 0; i < count; ++i) {
      const uint8_t least = std::min(definition_[i], definition_[1 + i]);
      unsound |= static_cast<uint8_t>((repetition_[i] >= level ? 1 : 0) & (least < items ? 1 : 0));
    }
  }
  for (int64_t i = 0; max_repetition > 0 && i < count; ++i) {
    unsound |= static_cast<uint8_t>(repetition_[i] > max_repetition ? 1 : 0);
  }
  return unsound == 0;
}

// How far the block belongs to the rows that are to pass; counts those of them that begin in it.
int64_t NestedLeaf::EndOfRows() {
  const int64_t left = block_end_ - block_begin_;
  if (max_repetition_ == 0) {
    const int64_t rows = std::min(left, rows_to_pass_);
    rows_to_pass_ -= rows;
    return block_begin_ + rows;
  }
  const int64_t begun = left - CountAtLeast(repetition_ + block_begin_, left, 1);
  if (begun <= rows_to_pass_) {
    rows_to_pass_ -= begun;
    return block_end_;
  }
  int64_t end = block_begin_;
  for (; repetition_[end] != 0 || rows_to_pass_ > 0; ++end) {
    rows_to_pass_ -= repetition_[end] == 0 ? 1 : 0;
  }
  return end;
}

arrow::Status NestedLeaf::SkipLevels(int64_t begin, int64_t end) {
  return values_->Skip(CountAtLeast(definition(begin), end - begin, max_definition_));
}

arrow::Status NestedLeaf::AppendLevels(int64_t begin, int64_t end) {
  if (begin == end) return arrow::Status::OK();
  int64_t count = end - begin;
  const uint8_t* levels = definition(begin);
  ARROW_RETURN_NOT_OK(definitions_.Append(levels, count));
  if (max_repetition_ > 0) {
    ARROW_RETURN_NOT_OK(repetitions_.Append(repetition_ + begin, count));
  }
  // Only the levels that stand for a slot.
  uint8_t slots[kBlock];
  if (CountAtLeast(levels, count, leaf_.slot_definition) < count) {
    int64_t next = 0;
    for (int64_t i = 0; i < count; ++i) {
      slots[next] = levels[i];
      next += levels[i] >= leaf_.slot_definition ? 1 : 0;
    }
    levels = slots;
    count = next;
  }
  if (count == 0) return arrow::Status::OK();

  PageRows rows{.rows = count, .validity_offset = validity_.length()};
  const int64_t needed = rows.validity_offset + count;
  if (needed > slots_room_) {
    slots_room_ = std::max(needed, slots_room_ + slots_room_ / 2);
    ARROW_RETURN_NOT_OK(values_->Grow(slots_room_));
  }
  ARROW_ASSIGN_OR_RAISE(rows.present, validity_.Append(levels, count, max_definition_));
  if (rows.present < count) rows.validity = validity_.bits();
  return values_->Append(rows);
}

}  // namespace hangar
