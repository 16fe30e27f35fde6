#include "client/endpoint_reader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include <arrow/flight/client.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/mutex.h"
#include "client/connection_pool.h"
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
// While its caller is elsewhere, gRPC's C library may not see in time that a server is alive, and
// closes the connection as silent (session.cc).
constexpr auto kLongWait = std::chrono::seconds(5);
// How often each server is tried in a row that brings nothing.
constexpr int kAttemptsEach = 2;
// Before each is tried again, so that they are not asked by all their clients at once.
constexpr int kPauseMillisecondsMin = 200;
constexpr int kPauseMillisecondsMax = 600;

// What has come of an endpoint, and where it can be had. Of the one thread that reads it.
struct EndpointState {
  FlightEndpoint endpoint;
  std::vector<std::string> servers;  // In the order of choice.
  std::optional<StreamRange> range;  // Of the whole endpoint, where it is known.
  int64_t done = 0;                  // So much of it was handed out.
  // The consumer was busy for so long in this attempt that nobody looked at the connection.
  bool kept_waiting = false;

  int64_t missing() const { return range->length - done; }
};

// Locations that the client may not or cannot connect to, as others may, are passed over.
std::vector<std::string> ServersOf(const FlightEndpoint& endpoint, const std::string& asked,
                                   const Session& session) {
  std::vector<std::string> uris;
  const auto add = [&](const std::string& uri) {
    if (std::ranges::find(uris, uri) == uris.end()) uris.push_back(uri);
  };
  for (const Location& location : endpoint.locations) {
    const std::string uri = location.ToString();
    if (location.Equals(Location::ReuseConnection())) add(asked);
    if (session.MayConnect(uri)) add(uri);
  }
  add(asked);
  for (const std::string& uri : session.addresses()) add(uri);
  return uris;
}

class EndpointReader final : public arrow::RecordBatchReader {
 public:
  EndpointReader(std::vector<FlightEndpoint> endpoints, std::shared_ptr<arrow::Schema> schema,
                 EndpointReaderOptions options)
      : schema_(std::move(schema)),
        options_(std::move(options)),
        endpoints_(StatesOf(std::move(endpoints), options_)),
        pool_(options_.servers->session(), WatchOf(endpoints_)) {
    pool_.Give(options_.connection->uri(), options_.connection->client());
    for (size_t i = 0; i < endpoints_.size(); ++i) {
      queues_.push_back(std::make_unique<BoundedQueue<BatchResult>>(kBatchesAhead));
    }
    const size_t threads =
        std::min(endpoints_.size(),
                 static_cast<size_t>(std::clamp(options_.connections, 1, kConnectionsMax)));
    running_.resize(threads);
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { ReadAll(i); });
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
  static std::vector<EndpointState> StatesOf(std::vector<FlightEndpoint> endpoints,
                                             const EndpointReaderOptions& options) {
    std::vector<EndpointState> states;
    for (FlightEndpoint& endpoint : endpoints) {
      auto servers = ServersOf(endpoint, options.connection->uri(), *options.servers->session());
      const auto range = options.content->RangeOf(endpoint);
      states.push_back(
          {.endpoint = std::move(endpoint), .servers = std::move(servers), .range = range});
    }
    return states;
  }

  static Session::Watch WatchOf(const std::vector<EndpointState>& endpoints) {
    const bool several =
        std::ranges::any_of(endpoints, [](const auto& state) { return state.servers.size() > 1; });
    return several ? Session::Watch::kYes : Session::Watch::kNo;
  }

  void Stop() HANGAR_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      stopped_ = true;
      for (const auto& stream : running_) {
        if (stream != nullptr) stream->Cancel();
      }
    }
    stop_.NotifyAll();
    for (const auto& queue : queues_) queue->Close();
    for (std::thread& thread : threads_) thread.join();
  }

  void ReadAll(size_t thread) {
    for (size_t i = next_++; i < endpoints_.size(); i = next_++) {
      const arrow::Status status = ReadEndpoint(thread, i);
      if (!status.ok()) queues_[i]->Push(status, 1);
      queues_[i]->Close();
      if (!status.ok()) return;
    }
  }

  arrow::Status ReadEndpoint(size_t thread, size_t index) {
    EndpointState& state = endpoints_[index];
    for (size_t in_vain = 0;;) {
      const std::string uri = options_.servers->health().InOrder(state.servers).front();
      const int64_t before = state.done;
      state.kept_waiting = false;
      const arrow::Status status = ReadAt(uri, thread, index);
      if (status.ok()) options_.servers->NoteAnswer(uri);
      if (status.ok() || LacksNothing(state, status)) return arrow::Status::OK();
      if (!PutBehind(uri, status, state)) return status;
      in_vain = state.done > before ? 1 : in_vain + 1;
      if (in_vain >= kAttemptsEach * state.servers.size()) return GivenUp(state, status);
      if (in_vain % state.servers.size() == 0 && !Pause()) return Stopped();
    }
  }

  // A connection that was lost after the last row.
  static bool LacksNothing(const EndpointState& state, const arrow::Status& status) {
    return IsOfTheServer(status) && state.done > 0 && state.range && state.missing() == 0;
  }

  // After a failure at `uri`: whether the endpoint can go on at another one.
  bool PutBehind(const std::string& uri, const arrow::Status& status, EndpointState& state)
      HANGAR_EXCLUDES(mutex_) {
    const bool foreign = std::ranges::find(options_.servers->addresses(), uri) ==
                         options_.servers->addresses().end();
    // Another node that takes neither this token nor, as it is not one of the client's own servers,
    // the password.
    const bool refused = foreign && KindOf(status) == ErrorKind::kUnauthenticated;
    if (!IsOfTheServer(status) && !refused) return false;
    if (state.servers.size() == 1 || (state.done > 0 && !state.range)) return false;
    {
      MutexLock lock(mutex_);
      if (stopped_) return false;
    }
    if (refused) {
      std::erase(state.servers, uri);
      return true;
    }
    if (state.kept_waiting) return true;  // Not the server's fault, until it fails again.
    std::vector<std::string> others = state.servers;
    std::erase(others, uri);
    options_.servers->NoteFailure(uri,
                                  options_.servers->health().InOrder(std::move(others)).front());
    return true;
  }

  arrow::Status GivenUp(const EndpointState& state, const arrow::Status& last) const {
    if (state.done == 0) return last;
    return Error(KindOf(last),
                 "{} (a part of the read broke off after {} of {} {}, and no server "
                 "goes on with it)",
                 last.message(), state.done, state.range->length, options_.content->unit());
  }

  // What is missing of the endpoint, from one server.
  arrow::Status ReadAt(const std::string& uri, size_t thread, size_t index) {
    Session& session = *options_.servers->session();
    ARROW_RETURN_NOT_OK(session.LogIn(uri));
    arrow::Status status = ReadOver(uri, thread, index);
    if (FailedToConnectByChance(status)) status = ReadOver(uri, thread, index);
    status = FromFlight(status, uri);
    if (KindOf(status) != ErrorKind::kUnauthenticated || !session.Expire(uri)) return status;
    ARROW_RETURN_NOT_OK(session.LogIn(uri));
    return FromFlight(ReadOver(uri, thread, index), uri);
  }

  // Its error is Flight's own.
  arrow::Status ReadOver(const std::string& uri, size_t thread, size_t index) {
    ARROW_ASSIGN_OR_RAISE(auto connection, pool_.Take(uri));
    const EndpointState& state = endpoints_[index];
    if (state.done == 0) {
      ARROW_RETURN_NOT_OK(
          ReadStream(*connection, state.endpoint.ticket, /*passed_over=*/0, thread, index));
    } else {
      const StreamRange rest{.offset = state.range->offset + state.done, .length = state.missing()};
      ARROW_ASSIGN_OR_RAISE(const RangeTickets tickets, options_.content->Ask(*connection, rest));
      int64_t passed_over = tickets.passed_over;
      for (const auto& ticket : tickets.tickets) {
        ARROW_RETURN_NOT_OK(ReadStream(*connection, ticket, passed_over, thread, index));
        passed_over = 0;
      }
    }
    pool_.Give(uri, std::move(connection));
    if (!state.range || state.missing() == 0) return arrow::Status::OK();
    return Error(ErrorKind::kUnavailable, "{} ended a stream after {} of {} {}", uri, state.done,
                 state.range->length, options_.content->unit());
  }

  arrow::Status ReadStream(FlightClient& connection, const arrow::flight::Ticket& ticket,
                           int64_t passed_over, size_t thread, size_t index) {
    ARROW_ASSIGN_OR_RAISE(auto opened, connection.DoGet(ticket));
    const std::shared_ptr<FlightStreamReader> stream = std::move(opened);
    if (!Register(thread, stream)) return Stopped();
    const arrow::Status status = Drain(*stream, passed_over, index);
    if (!status.ok()) stream->Cancel();
    Register(thread, nullptr);
    return status;
  }

  arrow::Status Drain(FlightStreamReader& stream, int64_t passed_over, size_t index) {
    ARROW_ASSIGN_OR_RAISE(const auto schema, stream.GetSchema());
    if (!schema->Equals(*schema_, /*check_metadata=*/false)) {
      return MakeError(ErrorKind::kInternal,
                       "the server sends another schema than it announced; try again");
    }
    const bool resumed = endpoints_[index].done > 0;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto chunk, stream.Next());
      if (chunk.data == nullptr && chunk.app_metadata == nullptr) return arrow::Status::OK();
      if (chunk.data == nullptr) continue;
      ARROW_RETURN_NOT_OK(chunk.data->Validate());
      if (resumed && endpoints_[index].missing() == 0) {
        stream.Cancel();  // A part of a file that goes on behind the endpoint's end.
        return arrow::Status::OK();
      }
      ARROW_RETURN_NOT_OK(HandOut(std::move(chunk.data), resumed, &passed_over, index));
    }
  }

  // Puts into the queue what of the batch is the endpoint's and has not come before.
  arrow::Status HandOut(std::shared_ptr<arrow::RecordBatch> batch, bool resumed,
                        int64_t* passed_over, size_t index) {
    EndpointState& state = endpoints_[index];
    const StreamContent& content = *options_.content;
    const int64_t length = content.LengthOf(*batch);
    const int64_t skipped = std::min(*passed_over, length);
    *passed_over -= skipped;
    int64_t taken = length - skipped;
    if (skipped > 0 && taken == 0) return arrow::Status::OK();
    if (state.range && taken > state.missing()) {
      if (!resumed) {
        return Error(ErrorKind::kInternal, "the server sends more {} than the {} it announced",
                     content.unit(), state.range->length);
      }
      taken = state.missing();
    }
    if (taken != length) batch = content.Slice(batch, skipped, taken);
    const auto begin = std::chrono::steady_clock::now();
    if (!queues_[index]->Push(std::move(batch), 1)) return Stopped();
    if (std::chrono::steady_clock::now() - begin >= kLongWait) state.kept_waiting = true;
    state.done += taken;
    return arrow::Status::OK();
  }

  // False when the read was stopped meanwhile.
  bool Pause() HANGAR_EXCLUDES(mutex_) {
    std::random_device random;
    std::uniform_int_distribution<int> milliseconds(kPauseMillisecondsMin, kPauseMillisecondsMax);
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds(random));
    MutexLock lock(mutex_);
    while (!stopped_ && stop_.WaitUntil(mutex_, until)) {
    }
    return !stopped_;
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

  const std::shared_ptr<arrow::Schema> schema_;
  const EndpointReaderOptions options_;
  std::vector<EndpointState> endpoints_;  // Each is its thread's own.
  ConnectionPool pool_;

  std::vector<std::unique_ptr<BoundedQueue<BatchResult>>> queues_;  // One an endpoint.
  std::atomic<size_t> next_ = 0;                                    // Endpoint that nobody reads.

  Mutex mutex_;
  CondVar stop_;
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
