#include "client/endpoint_reader.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>

#include <arrow/flight/client.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/mutex.h"
#include "client/flight_error.h"

namespace hangar::client {
namespace {

using arrow::flight::FlightClient;
using arrow::flight::FlightEndpoint;
using arrow::flight::FlightStreamReader;
using arrow::flight::Location;
using BatchResult = arrow::Result<std::shared_ptr<arrow::RecordBatch>>;

// Enough for the network to go on while a consumer is busy with a batch of about 1 MiB.
constexpr int64_t kBatchesAhead = 8;
constexpr int kConnectionsMax = 64;

bool IsSameServer(const FlightEndpoint& endpoint, const std::string& uri) {
  const auto is_same = [&](const Location& location) {
    return location.Equals(Location::ReuseConnection()) || location.ToString() == uri;
  };
  return endpoint.locations.empty() || std::ranges::any_of(endpoint.locations, is_same);
}

class EndpointReader final : public arrow::RecordBatchReader {
 public:
  EndpointReader(std::vector<FlightEndpoint> endpoints, std::shared_ptr<arrow::Schema> schema,
                 EndpointReaderOptions options)
      : endpoints_(std::move(endpoints)), schema_(std::move(schema)), options_(std::move(options)) {
    for (size_t i = 0; i < endpoints_.size(); ++i) {
      queues_.push_back(std::make_unique<BoundedQueue<BatchResult>>(kBatchesAhead));
    }
    const size_t threads =
        std::min(endpoints_.size(),
                 static_cast<size_t>(std::clamp(options_.connections, 1, kConnectionsMax)));
    running_.resize(threads);
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { ReadFrom(i); });
  }

  ~EndpointReader() override { Stop(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    ARROW_RETURN_NOT_OK(failed_);
    for (; current_ < queues_.size(); ++current_) {
      std::optional<BatchResult> next = queues_[current_]->Pop();
      if (!next) continue;
      failed_ = next->status();
      if (failed_.ok()) *out = std::move(*next).ValueUnsafe();
      return failed_;
    }
    return arrow::Status::OK();
  }

 private:
  void Stop() HANGAR_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      stopped_ = true;
      for (const auto& stream : running_) {
        if (stream != nullptr) stream->Cancel();
      }
    }
    for (const auto& queue : queues_) queue->Close();
    for (std::thread& thread : threads_) thread.join();
  }

  void ReadFrom(size_t thread) {
    std::shared_ptr<FlightClient> connection = thread == 0 ? options_.client : nullptr;
    for (size_t i = next_++; i < endpoints_.size(); i = next_++) {
      const arrow::Status status = ReadEndpoint(thread, i, connection);
      if (!status.ok()) queues_[i]->Push(status, 1);
      queues_[i]->Close();
      if (!status.ok()) return;
    }
  }

  arrow::Status ReadEndpoint(size_t thread, size_t index,
                             std::shared_ptr<FlightClient>& connection) {
    const FlightEndpoint& endpoint = endpoints_[index];
    if (IsSameServer(endpoint, options_.uri)) {
      return ReadOver(thread, index, options_.uri, connection);
    }
    // Another server's: the locations hold the same data, so the next is tried while nothing of
    // this endpoint has been read.
    arrow::Status status;
    for (const Location& location : endpoint.locations) {
      std::shared_ptr<FlightClient> other;
      status = ReadOver(thread, index, location.ToString(), other);
      if (status.ok() || KindOf(status) != ErrorKind::kUnavailable || handed_out_any_[index]) break;
    }
    return status;
  }

  arrow::Status ReadOver(size_t thread, size_t index, const std::string& uri,
                         std::shared_ptr<FlightClient>& connection) {
    arrow::Status status = ReadOnce(thread, index, uri, connection);
    if (FailedToConnectByChance(status)) {
      connection = nullptr;
      status = ReadOnce(thread, index, uri, connection);
    }
    return FromFlight(status, uri);
  }

  // Its error is Flight's own.
  arrow::Status ReadOnce(size_t thread, size_t index, const std::string& uri,
                         std::shared_ptr<FlightClient>& connection) {
    if (connection == nullptr) {
      ARROW_ASSIGN_OR_RAISE(connection, options_.connect(uri));
    }
    ARROW_ASSIGN_OR_RAISE(auto opened, connection->DoGet(endpoints_[index].ticket));
    const std::shared_ptr<FlightStreamReader> stream = std::move(opened);
    if (!Register(thread, stream)) return Stopped();
    const arrow::Status status = Drain(*stream, index);
    Register(thread, nullptr);
    return status;
  }

  arrow::Status Drain(FlightStreamReader& stream, size_t index) {
    ARROW_ASSIGN_OR_RAISE(const auto schema, stream.GetSchema());
    if (!schema->Equals(*schema_, /*check_metadata=*/false)) {
      return MakeError(ErrorKind::kInternal,
                       "the server sends another schema than it announced; try again");
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto chunk, stream.Next());
      if (chunk.data == nullptr && chunk.app_metadata == nullptr) return arrow::Status::OK();
      if (chunk.data == nullptr) continue;
      ARROW_RETURN_NOT_OK(chunk.data->Validate());
      handed_out_any_[index] = true;
      if (!queues_[index]->Push(std::move(chunk.data), 1)) {
        stream.Cancel();
        return Stopped();
      }
    }
  }

  // Makes the stream known to Stop. False when it came too late to be stopped by it.
  bool Register(size_t thread, std::shared_ptr<FlightStreamReader> stream) HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (stopped_ && stream != nullptr) stream->Cancel();
    running_[thread] = std::move(stream);
    return !stopped_;
  }

  static arrow::Status Stopped() {
    return MakeError(ErrorKind::kCancelled, "the read was stopped");
  }

  const std::vector<FlightEndpoint> endpoints_;
  const std::shared_ptr<arrow::Schema> schema_;
  const EndpointReaderOptions options_;

  std::vector<std::unique_ptr<BoundedQueue<BatchResult>>> queues_;  // One an endpoint.
  std::atomic<size_t> next_ = 0;                                    // Endpoint that nobody reads.
  // Of each endpoint; only the thread that reads the endpoint looks at it.
  std::vector<char> handed_out_any_ = std::vector<char>(endpoints_.size(), 0);

  Mutex mutex_;
  bool stopped_ HANGAR_GUARDED_BY(mutex_) = false;
  // What each thread reads now.
  std::vector<std::shared_ptr<FlightStreamReader>> running_ HANGAR_GUARDED_BY(mutex_);

  // The consumer's own.
  size_t current_ = 0;
  arrow::Status failed_;

  std::vector<std::thread> threads_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> ReadEndpoints(std::vector<FlightEndpoint> endpoints,
                                                        std::shared_ptr<arrow::Schema> schema,
                                                        EndpointReaderOptions options) {
  return std::make_shared<EndpointReader>(std::move(endpoints), std::move(schema),
                                          std::move(options));
}

}  // namespace hangar::client
