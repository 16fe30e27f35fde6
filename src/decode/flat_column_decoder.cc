#include "decode/flat_column_decoder.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/checked_cast.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/schema.h>

#include "decode/bit_run_reader.h"
#include "decode/column_values.h"
#include "decode/data_page.h"
#include "decode/make_column_values.h"

namespace hangar {
namespace {

using arrow::internal::checked_cast;

class FlatColumnDecoder final : public ColumnDecoder {
 public:
  FlatColumnDecoder(std::unique_ptr<parquet::PageReader> pages,
                    std::unique_ptr<ColumnValues> values, std::shared_ptr<arrow::DataType> type,
                    bool optional, int64_t rows, arrow::MemoryPool* pool)
      : pages_(std::move(pages)),
        values_(std::move(values)),
        type_(std::move(type)),
        optional_(optional),
        pool_(pool),
        rows_left_(rows),
        rows_unseen_(rows) {
    // Pages that are passed over as a whole are neither read nor decompressed.
    pages_->set_data_page_filter([this](const parquet::DataPageStats& page) {
      if (page.num_values > rows_to_pass_) return false;
      rows_to_pass_ -= page.num_values;
      rows_unseen_ -= page.num_values;
      return true;
    });
  }

  arrow::Status Skip(int64_t rows) override {
    if (error_.ok()) error_ = Guarded([&] { return DoSkip(rows); });
    return error_;
  }

  arrow::Result<arrow::ArrayVector> Decode(int64_t rows) override {
    arrow::ArrayVector arrays;
    if (error_.ok()) error_ = Guarded([&] { return DoDecode(rows, &arrays); });
    if (!error_.ok()) return error_;
    return arrays;
  }

 private:
  template <typename Function>
  static arrow::Status Guarded(Function&& function) {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return function();
    END_PARQUET_CATCH_EXCEPTIONS
  }

  arrow::Status DoSkip(int64_t rows);
  arrow::Status DoDecode(int64_t rows, arrow::ArrayVector* arrays);
  arrow::Status TakeRows(int64_t rows);

  arrow::Status NextPage();
  arrow::Status SetDataPage(const parquet::DataPage& page);
  arrow::Status SkipInPage(int64_t rows);
  arrow::Status AppendFromPage(int64_t rows);
  arrow::Result<int64_t> ReadValidity(int64_t rows);
  arrow::Result<arrow::ArrayVector> MakeArrays(std::vector<ValueBuffers> parts) const;

  const std::unique_ptr<parquet::PageReader> pages_;
  const std::unique_ptr<ColumnValues> values_;
  const std::shared_ptr<arrow::DataType> type_;
  const bool optional_;  // Pages hold definition levels, 0 for null and 1 for present.
  arrow::MemoryPool* const pool_;
  arrow::Status error_;  // The first one.

  int64_t rows_left_;         // Rows of the row group that nobody asked for yet.
  int64_t rows_unseen_;       // Rows of pages that were not opened yet.
  int64_t rows_to_pass_ = 0;  // Rows to skip behind the page that is open.
  bool has_dictionary_ = false;
  std::shared_ptr<parquet::Page> page_;
  int64_t page_rows_left_ = 0;
  BitRunReader levels_;

  // The rows that are being decoded.
  int64_t decode_rows_ = 0;
  int64_t decoded_rows_ = 0;
  int64_t null_count_ = 0;
  std::shared_ptr<arrow::Buffer> validity_;  // None up to the first row that may be null.
};

arrow::Status Malformed(const char* what) { return arrow::Status::IOError(what); }

arrow::Status TooFewLevels() { return Malformed("a page has too few levels"); }

arrow::Status FlatColumnDecoder::TakeRows(int64_t rows) {
  if (rows < 0 || rows > rows_left_) {
    return arrow::Status::Invalid("more rows than the row group has");
  }
  rows_left_ -= rows;
  return arrow::Status::OK();
}

arrow::Status FlatColumnDecoder::DoSkip(int64_t rows) {
  ARROW_RETURN_NOT_OK(TakeRows(rows));
  const int64_t of_page = std::min(rows, page_rows_left_);
  ARROW_RETURN_NOT_OK(SkipInPage(of_page));
  rows_to_pass_ += rows - of_page;
  return arrow::Status::OK();
}

arrow::Status FlatColumnDecoder::DoDecode(int64_t rows, arrow::ArrayVector* arrays) {
  ARROW_RETURN_NOT_OK(TakeRows(rows));
  if (rows == 0) return arrow::Status::OK();
  decode_rows_ = rows;
  decoded_rows_ = 0;
  null_count_ = 0;
  validity_ = nullptr;
  ARROW_RETURN_NOT_OK(values_->Begin(rows));
  while (decoded_rows_ < rows) {
    while (page_rows_left_ == 0) ARROW_RETURN_NOT_OK(NextPage());
    ARROW_RETURN_NOT_OK(AppendFromPage(std::min(rows - decoded_rows_, page_rows_left_)));
  }
  ARROW_ASSIGN_OR_RAISE(auto parts, values_->Finish());
  ARROW_ASSIGN_OR_RAISE(*arrays, MakeArrays(std::move(parts)));
  validity_ = nullptr;
  return arrow::Status::OK();
}

// Opens the next page of the chunk, past what is to be skipped.
arrow::Status FlatColumnDecoder::NextPage() {
  page_ = pages_->NextPage();
  if (page_ == nullptr) return Malformed("a column chunk holds fewer rows than the footer says");
  if (page_->type() != parquet::PageType::DICTIONARY_PAGE) {
    ARROW_RETURN_NOT_OK(SetDataPage(checked_cast<const parquet::DataPage&>(*page_)));
    const int64_t passed = std::min(rows_to_pass_, page_rows_left_);
    rows_to_pass_ -= passed;
    return SkipInPage(passed);
  }
  const auto& dictionary = checked_cast<const parquet::DictionaryPage&>(*page_);
  if (has_dictionary_) return Malformed("a column chunk has two dictionaries");
  has_dictionary_ = true;
  if (dictionary.encoding() != parquet::Encoding::PLAIN &&
      dictionary.encoding() != parquet::Encoding::PLAIN_DICTIONARY) {
    return Malformed("a dictionary in an unknown encoding");
  }
  return values_->SetDictionary(dictionary.num_values(), dictionary.data(), dictionary.size());
}

// Splits a data page into levels and values.
arrow::Status FlatColumnDecoder::SetDataPage(const parquet::DataPage& page) {
  page_rows_left_ = page.num_values();
  rows_unseen_ -= page.num_values();
  if (page.num_values() < 0 || rows_unseen_ < 0) {
    return Malformed("a column chunk holds more rows than the footer says");
  }
  ARROW_ASSIGN_OR_RAISE(
      const DataPageParts parts,
      SplitDataPage(page, /*max_repetition_level=*/0, /*max_definition_level=*/optional_ ? 1 : 0));
  const EncodedLevels& levels = parts.definition;
  levels_ = levels.packed ? BitRunReader::Packed(levels.data, levels.size)
                          : BitRunReader::Hybrid(levels.data, levels.size);
  return values_->SetPage(parts.values);
}

arrow::Status FlatColumnDecoder::SkipInPage(int64_t rows) {
  if (rows == 0) return arrow::Status::OK();
  page_rows_left_ -= rows;
  const int64_t present = optional_ ? levels_.Skip(rows) : rows;
  if (present < 0) return TooFewLevels();
  return values_->Skip(present);
}

arrow::Status FlatColumnDecoder::AppendFromPage(int64_t rows) {
  int64_t present = rows;
  if (optional_) {
    ARROW_ASSIGN_OR_RAISE(present, ReadValidity(rows));
  }
  PageRows page_rows{.rows = rows, .present = present};
  if (present < rows) {
    page_rows.validity = validity_->data();
    page_rows.validity_offset = decoded_rows_;
  }
  ARROW_RETURN_NOT_OK(values_->Append(page_rows));
  page_rows_left_ -= rows;
  decoded_rows_ += rows;
  null_count_ += rows - present;
  return arrow::Status::OK();
}

// Turns the page's next definition levels into bits, and counts the rows that are present. In most
// columns all rows are, which a page says in one run: then there is no bitmap.
arrow::Result<int64_t> FlatColumnDecoder::ReadValidity(int64_t rows) {
  if (validity_ == nullptr) {
    if (levels_.SkipOnes(rows)) return rows;
    ARROW_ASSIGN_OR_RAISE(
        validity_, arrow::AllocateBuffer(arrow::bit_util::BytesForBits(decode_rows_), pool_));
    validity_->mutable_data()[validity_->size() - 1] = 0;  // Part of it may stay unused.
    arrow::bit_util::SetBitsTo(validity_->mutable_data(), 0, decoded_rows_, true);
  } else if (levels_.SkipOnes(rows)) {
    arrow::bit_util::SetBitsTo(validity_->mutable_data(), decoded_rows_, rows, true);
    return rows;
  }
  const int64_t present = levels_.Read(rows, validity_->mutable_data(), decoded_rows_);
  if (present < 0) return TooFewLevels();
  return present;
}

arrow::Result<arrow::ArrayVector> FlatColumnDecoder::MakeArrays(
    std::vector<ValueBuffers> parts) const {
  const auto validity = null_count_ > 0 ? validity_ : nullptr;
  if (validity != nullptr) validity->ZeroPadding();
  arrow::ArrayVector arrays;
  int64_t row = 0;
  for (ValueBuffers& part : parts) {
    std::shared_ptr<arrow::Buffer> part_validity = validity;
    int64_t null_count = null_count_;
    if (parts.size() > 1 && validity != nullptr) {
      null_count = part.rows - arrow::internal::CountSetBits(validity->data(), row, part.rows);
      part_validity = nullptr;
      if (null_count > 0) {
        ARROW_ASSIGN_OR_RAISE(part_validity,
                              arrow::internal::CopyBitmap(pool_, validity->data(), row, part.rows));
      }
    }
    std::vector<std::shared_ptr<arrow::Buffer>> buffers = {std::move(part_validity)};
    std::ranges::move(part.buffers, std::back_inserter(buffers));
    arrays.push_back(
        arrow::MakeArray(arrow::ArrayData::Make(type_, part.rows, std::move(buffers), null_count)));
    row += part.rows;
  }
  return arrays;
}

}  // namespace

bool CanDecodeFlat(const parquet::ColumnDescriptor& column,
                   const parquet::ColumnChunkMetaData& chunk, const arrow::DataType& type) {
  const parquet::schema::Node* parent = column.schema_node()->parent();
  return parent != nullptr && parent->parent() == nullptr && column.max_repetition_level() == 0 &&
         CanDecodeValues(column, chunk, type);
}

arrow::Result<std::unique_ptr<ColumnDecoder>> MakeFlatColumnDecoder(
    std::unique_ptr<parquet::PageReader> pages, const parquet::ColumnDescriptor& column,
    const parquet::ColumnChunkMetaData& chunk, std::shared_ptr<arrow::DataType> type, int64_t rows,
    arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto values, MakeColumnValues(column, chunk, *type, pool));
  return std::make_unique<FlatColumnDecoder>(std::move(pages), std::move(values), std::move(type),
                                             column.max_definition_level() > 0, rows, pool);
}

}  // namespace hangar
