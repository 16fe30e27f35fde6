#include "read/column_chunk_pass.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/exception.h>

#include "decode/column_decoder.h"
#include "read/segment_cache.h"
#include "read/stored_file.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

// What the array itself takes beside its buffers, about.
constexpr int64_t kArrayOverheadBytes = 512;

// Buffers count as what was allocated for them.
int64_t BytesOf(const arrow::ArrayData& data) {
  int64_t bytes = kArrayOverheadBytes;
  for (const auto& buffer : data.buffers) {
    if (buffer != nullptr) bytes += buffer->capacity();
  }
  for (const auto& child : data.child_data) bytes += BytesOf(*child);
  if (data.dictionary != nullptr) bytes += BytesOf(*data.dictionary);
  return bytes;
}

}  // namespace

ColumnChunkPass::ColumnChunkPass(std::shared_ptr<StoredFile> file, int row_group, int field)
    : file_(std::move(file)),
      row_group_(row_group),
      field_(field),
      rows_(file_->RowsOf(row_group)) {}

ColumnChunkPass::~ColumnChunkPass() = default;

arrow::Result<std::shared_ptr<const ColumnSegment>> ColumnChunkPass::Decode(int64_t segment,
                                                                            SegmentCache& cache) {
  const ColumnSegmentKey key{.chunk = file_->KeyOf(row_group_, field_), .segment = segment};
  MutexLock lock(mutex_);
  // Another scan may have had it decoded while this one waited.
  if (auto cached = cache.FindAgain(key)) return cached;
  if (failed_ || segment < next_segment_) return nullptr;
  auto decoded = DecodeNext(segment);
  if (SaysDamage(decoded.status()) && file_->DiscardColumnChunk(row_group_, field_)) {
    decoded = DecodeFromBegin(segment);
  }
  if (decoded.status().IsOutOfMemory()) {
    // What is cached is worth less than an answer.
    cache.Clear();
    decoded = DecodeFromBegin(segment);
  }
  if (!decoded.ok()) {
    failed_ = true;
    decoder_.reset();
    return decoded;
  }
  cache.Insert(key, *decoded);
  return decoded;
}

arrow::Result<std::shared_ptr<const ColumnSegment>> ColumnChunkPass::DecodeFromBegin(
    int64_t segment) {
  decoder_.reset();
  next_segment_ = 0;
  return DecodeNext(segment);
}

arrow::Result<std::shared_ptr<const ColumnSegment>> ColumnChunkPass::DecodeNext(int64_t segment) {
  const int64_t segment_rows = file_->layout().segment_rows;
  if (decoder_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(decoder_, file_->OpenColumnChunk(row_group_, field_));
  }
  if (segment > next_segment_) {
    ARROW_RETURN_NOT_OK(decoder_->Skip((segment - next_segment_) * segment_rows));
  }
  const int64_t first_row = segment * segment_rows;
  const int64_t rows = std::min(segment_rows, rows_ - first_row);
  ARROW_ASSIGN_OR_RAISE(auto stored, decoder_->Decode(rows));
  next_segment_ = segment + 1;
  // What the decoder holds (pages, dictionaries) is not needed while nobody asks for more.
  if (first_row + rows == rows_) decoder_.reset();
  return ToSegment(std::move(stored));
}

arrow::Result<std::shared_ptr<const ColumnSegment>> ColumnChunkPass::ToSegment(
    arrow::ArrayVector stored) const {
  auto segment = std::make_shared<ColumnSegment>();
  const auto& logical_field = file_->footer().logical_schema->field(field_);
  const auto& read_field = file_->footer().read_schema->field(field_);
  if (read_field->type()->Equals(*logical_field->type(), /*check_metadata=*/true)) {
    segment->chunks = std::move(stored);
  } else {
    const auto logical_schema = arrow::schema({logical_field});
    const auto read_schema = arrow::schema({read_field});
    for (const auto& array : stored) {
      const auto batch = arrow::RecordBatch::Make(read_schema, array->length(), {array});
      ARROW_ASSIGN_OR_RAISE(const auto batches,
                            ToLogicalBatches(batch, logical_schema, file_->pool()));
      for (const auto& logical : batches) segment->chunks.push_back(logical->column(0));
    }
  }
  for (const auto& chunk : segment->chunks) segment->bytes += BytesOf(*chunk->data());
  return segment;
}

}  // namespace hangar
