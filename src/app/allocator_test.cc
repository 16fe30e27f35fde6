#include "app/allocator.h"

#include <cstdint>
#include <memory>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

constexpr int64_t kRows = 1 << 20;

// A stream of one compressed batch, which becomes 8 MiB.
std::shared_ptr<arrow::Buffer> CompressedStream() {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendEmptyValues(kRows).ok());
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, kRows, {builder.Finish().ValueOrDie()});
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = arrow::util::Codec::Create(arrow::Compression::ZSTD).ValueOrDie();
  const auto writer = arrow::ipc::MakeStreamWriter(sink, schema, options).ValueOrDie();
  EXPECT_TRUE(writer->WriteRecordBatch(*batch).ok());
  EXPECT_TRUE(writer->Close().ok());
  return sink->Finish().ValueOrDie();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FirstBatchOf(
    const std::shared_ptr<arrow::Buffer>& stream) {
  const auto input = std::make_shared<arrow::io::BufferReader>(stream);
  ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
  return reader->Next();
}

TEST(DefaultMemoryPool, IsTheBudgetedOneForTheProgramAndForArrowItself) {
  EXPECT_TRUE(arrow::default_memory_pool()->backend_name().starts_with("budgeted "));
  // What asks for no pool inside libarrow gets this one too.
  EXPECT_EQ(arrow::ipc::IpcReadOptions::Defaults().memory_pool, arrow::default_memory_pool());
  const int64_t before = ArrowMemoryBudget().taken_bytes();
  const auto batch = FirstBatchOf(CompressedStream());
  ASSERT_TRUE(batch.ok());
  EXPECT_GE(ArrowMemoryBudget().taken_bytes() - before, kRows * 8);
}

TEST(DefaultMemoryPool, ACompressedBatchThatDoesNotFitIsOutOfMemory) {
  const auto stream = CompressedStream();
  ArrowMemoryBudget().SetCapacity(ArrowMemoryBudget().taken_bytes() + kRows * 4);
  const auto batch = FirstBatchOf(stream);
  ArrowMemoryBudget().SetCapacity(MemoryBudget::kUnlimited);
  EXPECT_TRUE(batch.status().IsOutOfMemory());
}

}  // namespace
}  // namespace hangar
