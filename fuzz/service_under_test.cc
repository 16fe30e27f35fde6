#include "fuzz/service_under_test.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/log.h"
#include "fuzz/require.h"
#include "store/memory_store.h"
#include "tests/support/parquet_files.h"

namespace hangar::fuzz {
namespace {

constexpr int kInputsOfOne = 64;

class SilentLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

// What ValidateFull says of values that do not fit their type. Those of a stored file are carried,
// not judged; that all of them are where they should be is another matter.
constexpr std::string_view kComplaintsOfValues[] = {"Invalid UTF8", "does not fit in precision",
                                                    "acceptable range", "whole number of days"};

arrow::Status CheckBatch(const arrow::RecordBatch& batch) {
  const auto valid = batch.ValidateFull();
  const auto is_said = [&](std::string_view words) { return valid.message().contains(words); };
  if (valid.ok() || std::ranges::any_of(kComplaintsOfValues, is_said)) return batch.Validate();
  return arrow::Status::UnknownError("a batch is not valid: ", valid.message());
}

}  // namespace

ServiceUnderTest::ServiceUnderTest(int64_t cache_bytes)
    : store_(MakeMemoryStore()),
      service_(
          std::make_unique<DatasetService>(store_, std::make_shared<SilentLogger>(),
                                           DatasetService::Options{.cache_bytes = cache_bytes})) {}

void ServiceUnderTest::Place(std::string_view bytes) {
  auto staged = store_->Stage({}).ValueOrDie();
  RequireOk(staged->Append(bytes.data(), static_cast<int64_t>(bytes.size())));
  RequireOk(staged->Seal());
  RequireOk(staged->Publish(std::string(kDataset), Precondition::None()).status());
}

std::string ServiceUnderTest::Load() {
  const auto reader = store_->Open(std::string(kDataset)).ValueOrDie();
  std::string bytes(static_cast<size_t>(reader->info().size_bytes), '\0');
  RequireOk(reader->ReadAt(0, std::ssize(bytes), bytes.data()));
  return bytes;
}

arrow::Result<ServiceUnderTest::Rows> ServiceUnderTest::Read(ReadRequest request) {
  request.dataset = kDataset;
  ARROW_ASSIGN_OR_RAISE(const auto stream, service_->Read(Caller{}, request));
  Rows read{.schema = stream->schema()};
  arrow::RecordBatchVector batches;
  int64_t rows = 0;
  int64_t bytes = 0;
  while (rows <= kRowsMax && bytes <= kBytesMax) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
    read.complete = batch == nullptr;
    if (read.complete) break;
    ARROW_RETURN_NOT_OK(CheckBatch(*batch));
    if (!batch->schema()->Equals(*read.schema, /*check_metadata=*/true)) {
      return arrow::Status::UnknownError("a batch has another schema than its stream");
    }
    rows += batch->num_rows();
    bytes += arrow::util::TotalBufferSize(*batch);
    batches.push_back(std::move(batch));
  }
  if (read.complete) read.rows = testing::Rows(batches);
  return read;
}

ServiceUnderTest& SharedService(int64_t cache_bytes) {
  struct Shared {
    int inputs = 0;
    std::unique_ptr<ServiceUnderTest> service;
  };
  static std::map<int64_t, Shared> by_cache_bytes;
  Shared& shared = by_cache_bytes[cache_bytes];
  if (shared.inputs++ % kInputsOfOne == 0) {
    shared.service = std::make_unique<ServiceUnderTest>(cache_bytes);
  }
  return *shared.service;
}

}  // namespace hangar::fuzz
