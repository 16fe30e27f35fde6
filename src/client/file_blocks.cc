#include "client/file_blocks.h"

#include <cstring>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"

namespace hangar::client {
namespace {

// What Flight sends fastest, and no client or server refuses.
constexpr int64_t kBlockBytes = 1 << 20;

class BlockReader final : public arrow::RecordBatchReader {
 public:
  explicit BlockReader(std::shared_ptr<arrow::io::InputStream> file) : file_(std::move(file)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> block, file_->Read(kBlockBytes));
    if (block->size() == 0) return arrow::Status::OK();
    std::vector<int32_t> offsets = {0, static_cast<int32_t>(block->size())};
    auto column = std::make_shared<arrow::BinaryArray>(
        /*length=*/1, arrow::Buffer::FromVector(std::move(offsets)), std::move(block));
    *out = arrow::RecordBatch::Make(schema_, /*num_rows=*/1, {std::move(column)});
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::io::InputStream> file_;
  const std::shared_ptr<arrow::Schema> schema_ =
      arrow::schema({arrow::field("parquet", arrow::binary(), /*nullable=*/false)});
};

// What comes over Flight may stand at any address, also where no integer does.
template <typename Array>
int64_t OffsetAt(const Array& blocks, int64_t row) {
  typename Array::offset_type offset = 0;
  const auto* const offsets = reinterpret_cast<const uint8_t*>(blocks.raw_value_offsets());
  std::memcpy(&offset, offsets + row * static_cast<int64_t>(sizeof(offset)), sizeof(offset));
  return offset;
}

// The bytes of some rows, which stand one after the other.
template <typename Array>
std::shared_ptr<arrow::Buffer> BytesOf(const arrow::Array& column, int64_t begin, int64_t end) {
  const auto& blocks = static_cast<const Array&>(column);
  if (begin == end || blocks.value_data() == nullptr) {
    return std::make_shared<arrow::Buffer>(nullptr, 0);
  }
  const int64_t offset = OffsetAt(blocks, begin);
  return arrow::SliceBuffer(blocks.value_data(), offset, OffsetAt(blocks, end) - offset);
}

std::shared_ptr<arrow::Buffer> BytesOf(const arrow::RecordBatch& batch, int64_t begin,
                                       int64_t end) {
  const arrow::Array& column = *batch.column(0);
  return column.type_id() == arrow::Type::BINARY
             ? BytesOf<arrow::BinaryArray>(column, begin, end)
             : BytesOf<arrow::LargeBinaryArray>(column, begin, end);
}

class BatchBlocks final : public FileBlocks {
 public:
  BatchBlocks(std::shared_ptr<arrow::RecordBatchReader> batches, int64_t size_bytes)
      : batches_(std::move(batches)), size_bytes_(size_bytes) {}

  arrow::Result<std::shared_ptr<arrow::Buffer>> Next() override {
    while (batch_ == nullptr || row_ == batch_->num_rows()) {
      row_ = 0;
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch_));
      if (batch_ == nullptr) return End();
    }
    auto block = BytesOf(*batch_, row_, row_ + 1);
    ++row_;
    received_ += block->size();
    if (received_ > size_bytes_) return WrongSize();
    return block;
  }

 private:
  arrow::Result<std::shared_ptr<arrow::Buffer>> End() const {
    if (received_ != size_bytes_) return WrongSize();
    return nullptr;
  }

  arrow::Status WrongSize() const {
    return Error(ErrorKind::kDataLoss, "the server sent {} bytes of a file that has {}; try again",
                 received_, size_bytes_);
  }

  const std::shared_ptr<arrow::RecordBatchReader> batches_;
  const int64_t size_bytes_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t row_ = 0;
  int64_t received_ = 0;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> ReadBlocks(std::shared_ptr<arrow::io::InputStream> file) {
  return std::make_shared<BlockReader>(std::move(file));
}

std::shared_ptr<FileBlocks> MakeFileBlocks(std::shared_ptr<arrow::RecordBatchReader> batches,
                                           int64_t size_bytes) {
  return std::make_shared<BatchBlocks>(std::move(batches), size_bytes);
}

int64_t BlockBytes(const arrow::RecordBatch& batch) {
  return BytesOf(batch, 0, batch.num_rows())->size();
}

std::shared_ptr<arrow::RecordBatch> SliceBlocks(const arrow::RecordBatch& batch, int64_t offset,
                                                int64_t length) {
  auto bytes = arrow::SliceBuffer(BytesOf(batch, 0, batch.num_rows()), offset, length);
  std::shared_ptr<arrow::Array> column;
  if (batch.column(0)->type_id() == arrow::Type::BINARY) {
    std::vector<int32_t> offsets = {0, static_cast<int32_t>(length)};
    column = std::make_shared<arrow::BinaryArray>(
        /*length=*/1, arrow::Buffer::FromVector(std::move(offsets)), std::move(bytes));
  } else {
    std::vector<int64_t> offsets = {0, length};
    column = std::make_shared<arrow::LargeBinaryArray>(
        /*length=*/1, arrow::Buffer::FromVector(std::move(offsets)), std::move(bytes));
  }
  return arrow::RecordBatch::Make(batch.schema(), /*num_rows=*/1, {std::move(column)});
}

arrow::Status CheckIsBlocks(const arrow::Schema& schema) {
  if (schema.num_fields() == 1 && schema.field(0)->name() == "parquet" &&
      (schema.field(0)->type()->id() == arrow::Type::BINARY ||
       schema.field(0)->type()->id() == arrow::Type::LARGE_BINARY)) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kUnimplemented, "the server cannot take and give files as they are");
}

}  // namespace hangar::client
