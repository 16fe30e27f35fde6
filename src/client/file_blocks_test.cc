#include "client/file_blocks.h"

#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>

namespace hangar::client {
namespace {

constexpr int64_t kBlock = 1 << 20;

std::string Bytes(int64_t count) {
  std::string bytes;
  for (int64_t i = 0; i < count; ++i) bytes += static_cast<char>(i * 7 + i / 1000);
  return bytes;
}

std::shared_ptr<arrow::RecordBatchReader> BlocksOf(const std::vector<std::string>& blocks) {
  arrow::LargeBinaryBuilder builder;
  EXPECT_TRUE(builder.AppendValues(blocks).ok());
  const auto schema = arrow::schema({arrow::field("parquet", arrow::large_binary())});
  const auto batch =
      arrow::RecordBatch::Make(schema, static_cast<int64_t>(blocks.size()), {*builder.Finish()});
  return *arrow::RecordBatchReader::Make({batch, batch->Slice(0, 0)}, schema);
}

TEST(FileBlocks, CarryAFileThroughBatchesByteForByte) {
  for (const int64_t size : {int64_t{0}, int64_t{1}, kBlock - 1, kBlock, 3 * kBlock + 5}) {
    const std::string bytes = Bytes(size);
    const auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
    const auto blocks = MakeFileBlocks(ReadBlocks(file), size);
    std::string back;
    while (auto block = blocks->Next().ValueOrDie()) back += block->ToString();
    EXPECT_EQ(back, bytes);
  }
}

TEST(FileBlocks, BeginWhereTheFileStands) {
  const auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString("abcdef"));
  ASSERT_TRUE(file->Seek(2).ok());
  EXPECT_EQ((*MakeFileBlocks(ReadBlocks(file), 4)->Next())->ToString(), "cdef");
}

TEST(FileBlocks, AreReadFromBatchesOfAnyShape) {
  const auto blocks = MakeFileBlocks(BlocksOf({"ab", "", "cde"}), 5);
  EXPECT_EQ((*blocks->Next())->ToString(), "ab");
  EXPECT_EQ((*blocks->Next())->ToString(), "");
  EXPECT_EQ((*blocks->Next())->ToString(), "cde");
  EXPECT_EQ(*blocks->Next(), nullptr);
}

TEST(FileBlocks, TellAFileThatEndsTooSoonOrTooLate) {
  const auto short_one = MakeFileBlocks(BlocksOf({"abc"}), 4);
  ASSERT_TRUE(short_one->Next().ok());
  EXPECT_EQ(ErrorCode(short_one->Next().status()), "DATA_LOSS");
  const auto long_one = MakeFileBlocks(BlocksOf({"abc"}), 2);
  EXPECT_EQ(ErrorCode(long_one->Next().status()), "DATA_LOSS");
}

TEST(FileBlocks, AreToldFromATable) {
  EXPECT_TRUE(CheckIsBlocks(*arrow::schema({arrow::field("parquet", arrow::binary())})).ok());
  for (const auto& other :
       {arrow::schema({}), arrow::schema({arrow::field("parquet", arrow::int64())}),
        arrow::schema({arrow::field("x", arrow::binary())})}) {
    EXPECT_EQ(ErrorCode(CheckIsBlocks(*other)), "UNIMPLEMENTED");
  }
}

}  // namespace
}  // namespace hangar::client
