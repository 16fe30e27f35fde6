#include "encode/chunk_writer.h"

#include <cstring>
#include <limits>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/util/compression.h>

#include "base/crc32.h"
#include "base/error.h"
#include "encode/page_header.h"

namespace hangar {
namespace {

uint32_t ChecksumAfter(uint32_t crc, const std::shared_ptr<arrow::Buffer>& buffer) {
  return buffer == nullptr ? crc : Crc32(crc, buffer->data(), buffer->size());
}

int64_t SizeOf(const std::shared_ptr<arrow::Buffer>& buffer) {
  return buffer == nullptr ? 0 : buffer->size();
}

}  // namespace

ChunkWriter::ChunkWriter(std::unique_ptr<arrow::util::Codec> codec, arrow::MemoryPool* pool)
    : codec_(std::move(codec)), pool_(pool) {}

ChunkWriter::~ChunkWriter() = default;

arrow::Result<ChunkWriter::Body> ChunkWriter::MakeBody(std::span<const uint8_t> levels,
                                                       std::shared_ptr<arrow::Buffer> values) {
  const auto level_bytes = static_cast<int64_t>(levels.size());
  const int64_t bytes = level_bytes + values->size();
  if (bytes > std::numeric_limits<int32_t>::max()) {
    return Error(ErrorKind::kInvalidArgument,
                 "values that stand together in a page have {} bytes, and Parquet holds less than "
                 "2 GiB",
                 bytes);
  }
  if (codec_ == nullptr) {
    std::shared_ptr<arrow::Buffer> copy;
    if (level_bytes > 0) {
      ARROW_ASSIGN_OR_RAISE(copy, arrow::AllocateBuffer(level_bytes, pool_));
      std::memcpy(copy->mutable_data(), levels.data(), levels.size());
    }
    return Body{.first = copy, .second = std::move(values), .uncompressed_bytes = bytes};
  }
  // Buffers of its own would make each of many columns hold two pages more.
  std::shared_ptr<arrow::Buffer> whole = std::move(values);
  if (level_bytes > 0) {
    const auto level_buffer = std::make_shared<arrow::Buffer>(levels.data(), level_bytes);
    ARROW_ASSIGN_OR_RAISE(whole, arrow::ConcatenateBuffers({level_buffer, whole}, pool_));
  }
  const int64_t compressed_bytes_max = codec_->MaxCompressedLen(bytes, whole->data());
  ARROW_ASSIGN_OR_RAISE(const auto compressed, arrow::AllocateBuffer(compressed_bytes_max, pool_));
  ARROW_ASSIGN_OR_RAISE(
      const int64_t compressed_bytes,
      codec_->Compress(bytes, whole->data(), compressed_bytes_max, compressed->mutable_data()));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> exact,
                        arrow::AllocateBuffer(compressed_bytes, pool_));
  std::memcpy(exact->mutable_data(), compressed->data(), static_cast<size_t>(compressed_bytes));
  return Body{.first = nullptr, .second = std::move(exact), .uncompressed_bytes = bytes};
}

arrow::Result<int64_t> ChunkWriter::Add(Body body, bool is_dictionary, int64_t values,
                                        parquet::Encoding::type encoding,
                                        std::vector<std::shared_ptr<arrow::Buffer>>* parts) {
  const int64_t bytes = SizeOf(body.first) + SizeOf(body.second);
  auto header = arrow::Buffer::FromString(
      SerializePageHeader({.is_dictionary = is_dictionary,
                           .uncompressed_bytes = static_cast<int32_t>(body.uncompressed_bytes),
                           .compressed_bytes = static_cast<int32_t>(bytes),
                           .crc32 = ChecksumAfter(ChecksumAfter(0, body.first), body.second),
                           .values = static_cast<int32_t>(values),
                           .encoding = encoding}));
  const int64_t header_bytes = header->size();
  parts->push_back(std::move(header));
  if (SizeOf(body.first) > 0) parts->push_back(std::move(body.first));
  if (SizeOf(body.second) > 0) parts->push_back(std::move(body.second));
  chunk_.compressed_bytes += header_bytes + bytes;
  chunk_.uncompressed_bytes += header_bytes + body.uncompressed_bytes;
  return header_bytes + bytes;
}

arrow::Status ChunkWriter::Add(DataPage page) {
  ARROW_ASSIGN_OR_RAISE(Body body, MakeBody(page.levels, std::move(page.values)));
  const int64_t offset = chunk_.compressed_bytes - chunk_.dictionary_bytes;
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, Add(std::move(body), /*is_dictionary=*/false,
                                                 page.level_count, page.encoding, &chunk_.parts));
  if (bytes > std::numeric_limits<int32_t>::max()) {
    return Error(ErrorKind::kInvalidArgument, "a page has {} bytes, and Parquet holds 2 GiB",
                 bytes);
  }
  chunk_.values += page.level_count;
  ++chunk_.data_encodings[page.encoding];
  chunk_.pages.push_back({.offset = offset,
                          .size_bytes = static_cast<int32_t>(bytes),
                          .first_row = page.first_row,
                          .statistics = std::move(page.statistics),
                          .size_statistics = std::move(page.size_statistics)});
  return arrow::Status::OK();
}

arrow::Status ChunkWriter::AddDictionary(std::shared_ptr<arrow::Buffer> plain, int64_t values) {
  ARROW_ASSIGN_OR_RAISE(Body body, MakeBody({}, std::move(plain)));
  ARROW_ASSIGN_OR_RAISE(chunk_.dictionary_bytes,
                        Add(std::move(body), /*is_dictionary=*/true, values,
                            parquet::Encoding::PLAIN, &dictionary_parts_));
  ++chunk_.dictionary_encodings[parquet::Encoding::PLAIN];
  return arrow::Status::OK();
}

EncodedChunk ChunkWriter::Finish() {
  EncodedChunk chunk = std::exchange(chunk_, EncodedChunk{});
  chunk.parts.insert(chunk.parts.begin(), std::make_move_iterator(dictionary_parts_.begin()),
                     std::make_move_iterator(dictionary_parts_.end()));
  dictionary_parts_.clear();
  return chunk;
}

}  // namespace hangar
