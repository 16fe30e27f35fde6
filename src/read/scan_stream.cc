#include "read/scan_stream.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "base/text.h"
#include "read/batch_slicer.h"
#include "read/decode_pipeline.h"
#include "read/fetch_ahead.h"
#include "read/fetch_plan.h"
#include "read/stored_file.h"

namespace hangar {
namespace {

// Parts that a scan's columns are cut into, for each thread: enough that a slow column on one
// thread leaves work to the others, few enough that a task is worth its start.
constexpr int kColumnGroupsPerThread = 3;
// A scan of no more than this is over sooner than other threads have woken up for it.
constexpr int64_t kAloneBytesMax = 256 * 1024;
// The first batch fits into the window that HTTP/2 connections begin with (64 KiB), so that it is
// with the client at once; the next ones double in size.
constexpr int64_t kFirstBatchBytes = 48 * 1024;

// A Parquet column that is being decoded holds a page as stored and decompressed, and perhaps a
// dictionary. Pages of 20,000 rows (Arrow's writers) to 1 MiB (others, ours) are usual.
constexpr int64_t kOpenColumnBytes = 512 * 1024;
// Segments that are held whatever becomes of the read-ahead: one is sent, one is next.
constexpr int64_t kSegmentsHeld = 2;

arrow::Status ForClient(const arrow::Status& status, const std::string& dataset, Logger& logger) {
  logger.Error("a read failed",
               {{"dataset", dataset}, {"reason", status.ToStringWithoutContextLines()}});
  if (!SaysDamage(status)) return status;
  return Error(ErrorKind::kDataLoss, "the stored file of {} is damaged and could not be read",
               Quoted(dataset));
}

class ScanStream final : public arrow::RecordBatchReader {
 public:
  ScanStream(std::shared_ptr<arrow::Schema> schema, std::string dataset,
             std::shared_ptr<DecodePipeline> pipeline, int64_t batch_bytes,
             std::shared_ptr<Logger> logger)
      : schema_(std::move(schema)),
        dataset_(std::move(dataset)),
        pipeline_(std::move(pipeline)),
        batch_bytes_(batch_bytes),
        next_batch_bytes_(std::min(kFirstBatchBytes, batch_bytes)),
        logger_(std::move(logger)) {}

  ~ScanStream() override { pipeline_->Cancel(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(ended_);
    while (true) {
      if (slicer_) *batch = slicer_->Next(next_batch_bytes_);
      if (*batch != nullptr) {
        next_batch_bytes_ = std::min(2 * next_batch_bytes_, batch_bytes_);
        return arrow::Status::OK();
      }
      auto decoded = pipeline_->Next();
      if (!decoded.ok()) {
        ended_ = ForClient(decoded.status(), dataset_, *logger_);
        return ended_;
      }
      if (!*decoded) return arrow::Status::OK();
      slicer_.emplace(std::move((*decoded)->batch), (*decoded)->bytes);
    }
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const std::string dataset_;
  const std::shared_ptr<DecodePipeline> pipeline_;
  const int64_t batch_bytes_;
  int64_t next_batch_bytes_;
  const std::shared_ptr<Logger> logger_;
  std::optional<BatchSlicer> slicer_;
  arrow::Status ended_;  // The error that was given.
};

}  // namespace

int64_t ExpectedScanBytes(const OpenSnapshot& snapshot, const ScanPlan& plan, SegmentCache& decoded,
                          bool fetches) {
  const Footer& footer = *snapshot.snapshot.footer;
  const auto layout = decoded.LayoutOf(snapshot.snapshot.object.version, footer);
  const int64_t segment_rows = std::min(plan.rows, layout->segment_rows);
  // In floating point, as a footer can claim any number.
  double bytes = fetches ? static_cast<double>(FetchBytesMin(footer, *layout, plan)) : 0;
  for (const int field : plan.fields) {
    const auto row_bytes = static_cast<double>(layout->row_bytes[static_cast<size_t>(field)]);
    const size_t leaves = layout->leaves_of_fields[static_cast<size_t>(field)].size();
    bytes += kSegmentsHeld * row_bytes * static_cast<double>(segment_rows) +
             std::min(row_bytes * static_cast<double>(footer.rows),
                      static_cast<double>(leaves) * kOpenColumnBytes);
  }
  constexpr double kBytesMax = 1LL << 50;
  return static_cast<int64_t>(std::min(bytes, kBytesMax));
}

namespace {

std::shared_ptr<FetchAhead> StartFetching(const OpenSnapshot& snapshot,
                                          const std::shared_ptr<const FileLayout>& layout,
                                          const ScanPlan& plan, bool uses_disk,
                                          const ScanResources& resources) {
  const ObjectInfo& object = snapshot.snapshot.object;
  const auto version = HashOfVersion(object.version);
  const FetchPlanOptions options{.version = version,
                                 .file_bytes = object.size_bytes,
                                 .share_bytes = resources.fetcher->ahead()->read_bytes()};
  return FetchAhead::Start(
      {.reader = snapshot.reader, .version = version, .uses_disk = uses_disk},
      PlanFetch(snapshot.snapshot.footer, layout, plan, options, resources.decoded),
      resources.fetcher);
}

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> StartScan(OpenSnapshot snapshot, ScanPlan plan,
                                                    const ScanOptions& options,
                                                    const ScanResources& resources,
                                                    std::shared_ptr<Logger> logger) {
  std::string dataset = snapshot.snapshot.object.key;
  auto schema = plan.schema;
  auto layout =
      resources.decoded->LayoutOf(snapshot.snapshot.object.version, *snapshot.snapshot.footer);
  arrow::MemoryPool* pool = options.pool != nullptr ? options.pool : arrow::default_memory_pool();
  auto ahead = resources.fetcher == nullptr
                   ? nullptr
                   : StartFetching(snapshot, layout, plan, options.uses_disk_cache, resources);
  auto pipeline = DecodePipeline::Start(
      StoredFile::Make(std::move(snapshot), std::move(layout), pool, std::move(ahead)),
      std::move(plan),
      {.column_groups_max = kColumnGroupsPerThread * resources.workers->threads(),
       .alone_bytes_max = kAloneBytesMax},
      resources.decoded, resources.read_ahead, resources.workers);
  return std::make_shared<ScanStream>(std::move(schema), std::move(dataset), std::move(pipeline),
                                      options.batch_bytes, std::move(logger));
}

}  // namespace hangar
