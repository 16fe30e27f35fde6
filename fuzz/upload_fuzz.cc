// Uploads: the input as a stream of Arrow's IPC format. What the service takes comes back as it
// was.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "fuzz/require.h"
#include "fuzz/service_under_test.h"
#include "tests/support/parquet_files.h"

namespace hangar::fuzz {
namespace {

// What the IPC reader may take for what compressed buffers say they have.
constexpr int64_t kReaderBytesMax = 64LL * 1024 * 1024;

// Which settings an upload asks for depends on its length alone, so that the input is a plain
// stream.
UploadRequest RequestFor(size_t size) {
  static constexpr const char* kCodecs[] = {"none", "zstd", "snappy", "lz4"};
  UploadRequest request{.dataset = std::string(ServiceUnderTest::kDataset)};
  if (size % 2 == 1) request.codec = kCodecs[size / 2 % 4];
  if (size / 8 % 2 == 1) request.row_group_rows = 7;
  return request;
}

// The batches up to where the stream breaks off, and whether it does not.
struct Stream {
  std::shared_ptr<arrow::Schema> schema;
  arrow::RecordBatchVector batches;
  bool whole = false;
};

arrow::Result<Stream> ReadStream(const uint8_t* bytes, size_t size, arrow::MemoryPool* pool) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = pool;
  options.use_threads = false;
  auto source = std::make_shared<arrow::io::BufferReader>(
      std::make_shared<arrow::Buffer>(bytes, static_cast<int64_t>(size)));
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        arrow::ipc::RecordBatchStreamReader::Open(source, options));
  Stream stream{.schema = reader->schema()};
  int64_t rows = 0;
  while (true) {
    auto batch = reader->Next();
    stream.whole = batch.ok() && *batch == nullptr;
    if (stream.whole || !batch.ok()) return stream;
    // A few bytes can be any number of nulls.
    if ((*batch)->num_rows() > kRowsMax - rows) return stream;
    rows += (*batch)->num_rows();
    stream.batches.push_back(*std::move(batch));
  }
}

void Upload(const Stream& stream, const UploadRequest& request) {
  ServiceUnderTest& under_test = SharedService(0);
  auto upload = under_test.service().BeginUpload(Caller{}, request, stream.schema);
  RequireFitForClients(upload.status());
  if (!upload.ok()) return;
  for (const auto& batch : stream.batches) {
    const auto status = (*upload)->Append(batch);
    RequireFitForClients(status);
    if (!status.ok()) return;
  }
  if (!stream.whole) return;
  const auto result = (*upload)->Commit();
  RequireFitForClients(result.status());
  if (!result.ok()) return;
  const auto read = under_test.Read({.version = result->version});
  Require(read.ok(), read.status().ToString());
  Require(read->schema->Equals(*stream.schema, /*check_metadata=*/true), "the schema comes back");
  Require(read->complete, "no more rows come back than were sent");
  Require(read->rows == testing::Rows(stream.batches), "the rows come back");
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace hangar::fuzz;
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), kReaderBytesMax);
  const auto stream = ReadStream(bytes, size, &pool);
  if (stream.ok()) Upload(*stream, RequestFor(size));
  return 0;
}
