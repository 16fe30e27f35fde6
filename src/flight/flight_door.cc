#include "flight/flight_door.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/flight/server.h>
#include <arrow/flight/types.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/support/server_interceptor.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "flight/actions.h"
#include "flight/active_calls.h"
#include "flight/call_log.h"
#include "flight/command.h"
#include "flight/flight_info.h"
#include "flight/health_service.h"
#include "flight/json_object.h"
#include "flight/listen_address.h"
#include "flight/stall_guard.h"
#include "flight/status_interceptor.h"
#include "flight/status_table.h"
#include "flight/ticket.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

constexpr std::chrono::milliseconds kLastAnswers{250};

Caller CallerOf(const flight::ServerCallContext& context) {
  return {.peer = context.peer(), .is_cancelled = [&context] { return context.is_cancelled(); }};
}

// As CallerOf, for a use case that asks after every small piece of work: asking gRPC polls the
// call's queue, a tenth of a long listing's time, so only every sixteenth question goes through.
Caller PatientCallerOf(const flight::ServerCallContext& context) {
  Caller caller = CallerOf(context);
  caller.is_cancelled = [is_cancelled = std::move(caller.is_cancelled), asked = int64_t{0},
                         answer = false]() mutable {
    if (asked++ % 16 == 0) answer = is_cancelled();
    return answer;
  };
  return caller;
}

arrow::Result<arrow::ipc::IpcWriteOptions> WriteOptionsFor(WireCompression compression) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  switch (compression) {
    case WireCompression::kNone:
      break;
    case WireCompression::kLz4: {
      ARROW_ASSIGN_OR_RAISE(options.codec,
                            arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME));
      break;
    }
    case WireCompression::kZstd: {
      ARROW_ASSIGN_OR_RAISE(options.codec, arrow::util::Codec::Create(arrow::Compression::ZSTD, 1));
      break;
    }
  }
  return options;
}

// The datasets of a listing as Flight pulls them, so that nothing is gathered.
class Listing final : public flight::FlightListing {
 public:
  Listing(std::unique_ptr<DatasetLister> datasets, const DatasetService* service,
          const FlightInfoBuilder* infos, Logger* logger)
      : datasets_(std::move(datasets)), service_(service), infos_(infos), logger_(logger) {}

  arrow::Result<std::unique_ptr<flight::FlightInfo>> Next() override {
    auto info = NextInfo();
    if (!info.ok()) return ForClient(info.status(), "ListFlights", *logger_);
    return info;
  }

 private:
  arrow::Result<std::unique_ptr<flight::FlightInfo>> NextInfo() {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, datasets_->Next());
    if (!dataset) return nullptr;
    ARROW_ASSIGN_OR_RAISE(auto info, infos_->ForListing(*dataset, service_->TicketExpiry()));
    return std::make_unique<flight::FlightInfo>(std::move(info));
  }

  const std::unique_ptr<DatasetLister> datasets_;
  const DatasetService* const service_;
  const FlightInfoBuilder* const infos_;
  Logger* const logger_;
};

// An action's results as Flight pulls them.
class ActionStream final : public flight::ResultStream {
 public:
  ActionStream(ActionResults results, Logger* logger)
      : results_(std::move(results)), logger_(logger) {}

  arrow::Result<std::unique_ptr<flight::Result>> Next() override {
    auto result = results_();
    if (!result.ok()) return ForClient(result.status(), "DoAction", *logger_);
    if (!*result) return nullptr;
    return std::make_unique<flight::Result>(arrow::Buffer::FromString(**std::move(result)));
  }

 private:
  const ActionResults results_;
  Logger* const logger_;
};

// A record batch stream whose errors are fit for a client.
class ReadStream final : public flight::FlightDataStream {
 public:
  ReadStream(std::shared_ptr<arrow::RecordBatchReader> batches,
             const arrow::ipc::IpcWriteOptions& options, Logger* logger)
      : stream_(std::move(batches), options), logger_(logger) {}

  std::shared_ptr<arrow::Schema> schema() override { return stream_.schema(); }
  arrow::Result<flight::FlightPayload> GetSchemaPayload() override {
    return Checked(stream_.GetSchemaPayload());
  }
  arrow::Result<flight::FlightPayload> Next() override { return Checked(stream_.Next()); }
  arrow::Status Close() override { return ForClient(stream_.Close(), "DoGet", *logger_); }

 private:
  arrow::Result<flight::FlightPayload> Checked(arrow::Result<flight::FlightPayload> payload) {
    if (payload.ok()) return payload;
    return ForClient(payload.status(), "DoGet", *logger_);
  }

  flight::RecordBatchStream stream_;
  Logger* const logger_;
};

// What has no setting.
constexpr int kHeaderBytesMax = 64 << 10;      // Of a call's metadata; gRPC's own limit is 8 KiB.
constexpr int kStreamsPerConnection = 1'000;   // More calls wait at the client.
constexpr int kThreadsBesidesStreams = 1'024;  // For calls that only ask or act.
constexpr int kHandshakeMilliseconds = 20'000;
// How long a ping may go unanswered, and how long sent bytes may stay unacknowledged. Idle clients
// of gRPC's C library look at their connection every five seconds only.
constexpr int kPingWaitMilliseconds = 20'000;
constexpr int kClientPingMilliseconds = 5'000;  // Clients that ping more often are turned away.

// What a client may send ahead: enough for 80 MB/s at a distance of 100 ms, where there is memory.
constexpr int64_t kWindowBytesMax = 8LL << 20;
constexpr int64_t kWindowBytesMin = 64LL << 10;
constexpr int64_t kSendersAtFullSpeed = 64;

int AsInt(int64_t value) {
  return static_cast<int>(std::min<int64_t>(value, std::numeric_limits<int>::max()));
}

void SetLimits(const FlightDoorOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(AsInt(options.message_bytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kHeaderBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, AsInt(options.keepalive.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingWaitMilliseconds);
  // A connection without calls is asked as well, and as often as it takes.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingMilliseconds);
  // Each call takes a thread. Those that are no streams are not counted by CallLimits.
  grpc::ResourceQuota quota("hangar");
  quota.SetMaxThreads(AsInt(options.calls.streams + kThreadsBesidesStreams));
  // What was received and not taken yet: near it gRPC lets clients send less ahead, beyond it it
  // ends calls with RESOURCE_EXHAUSTED.
  quota.Resize(static_cast<size_t>(options.connection_bytes));
  // How far ahead of the server a client may send, of a fixed size: what gRPC makes of it by its
  // measurements grew to 60 MiB a stream.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
                             AsInt(std::clamp(options.connection_bytes / kSendersAtFullSpeed,
                                              kWindowBytesMin, kWindowBytesMax)));
  builder.SetResourceQuota(quota);
}

arrow::Status MalformedStream(const Caller& caller, const arrow::Status& reason) {
  if (caller.is_cancelled()) {
    return MakeError(ErrorKind::kCancelled, "the upload was cancelled before it was complete");
  }
  // Flight decompresses what it reads; what it becomes may not fit.
  if (reason.IsOutOfMemory()) {
    return MakeError(
        ErrorKind::kResourceExhausted,
        "the server has no room for a batch of this size: send smaller batches, or try "
        "again later");
  }
  return MakeError(ErrorKind::kInvalidArgument,
                   "the upload's stream is malformed: after one schema only batches of that schema "
                   "may follow");
}

// A client's way to end an upload without a result. To end the stream means that it is complete,
// and Arrow's clients do that also when an exception takes their writer away.
arrow::Status CheckNotAborted(const arrow::Buffer* app_metadata) {
  if (app_metadata == nullptr) return arrow::Status::OK();
  auto object = JsonObject::Parse(std::string_view(*app_metadata), "a message's app_metadata");
  // What is not meant for us is anybody's own.
  if (!object.ok()) return arrow::Status::OK();
  const auto abort = object->TakeBool("abort");
  if (!abort.ok() || !abort->value_or(false)) return arrow::Status::OK();
  return MakeError(ErrorKind::kCancelled, "the upload was aborted by its client");
}

arrow::Result<UploadResult> ReceiveUpload(DatasetService& service, const Caller& caller,
                                          flight::FlightMessageReader& reader) {
  ARROW_ASSIGN_OR_RAISE(const UploadRequest request, ParseUploadDescriptor(reader.descriptor()));
  auto schema = reader.GetSchema();
  if (!schema.ok()) {
    if (caller.is_cancelled() || schema.status().IsOutOfMemory()) {
      return MalformedStream(caller, schema.status());
    }
    return MakeError(ErrorKind::kInvalidArgument,
                     "the upload holds no schema: send a schema first, then any number of batches");
  }
  ARROW_ASSIGN_OR_RAISE(auto upload, service.BeginUpload(caller, request, *std::move(schema)));
  while (true) {
    auto chunk = reader.Next();
    if (!chunk.ok()) return MalformedStream(caller, chunk.status());
    if (chunk->data == nullptr && chunk->app_metadata == nullptr) break;
    ARROW_RETURN_NOT_OK(CheckNotAborted(chunk->app_metadata.get()));
    if (chunk->data != nullptr) ARROW_RETURN_NOT_OK(upload->Append(chunk->data));
  }
  // A client that dies half way ends the stream too: the service asks again before it publishes.
  return upload->Commit();
}

}  // namespace

class FlightDoor::Server final : public flight::FlightServerBase {
 public:
  Server(std::shared_ptr<DatasetService> service, FlightInfoBuilder infos,
         std::shared_ptr<Logger> logger)
      : service_(std::move(service)), infos_(std::move(infos)), logger_(std::move(logger)) {}

  arrow::Status ListFlights(const flight::ServerCallContext& context,
                            const flight::Criteria* criteria,
                            std::unique_ptr<flight::FlightListing>* listing) override {
    auto datasets = [&]() -> arrow::Result<std::unique_ptr<DatasetLister>> {
      ARROW_ASSIGN_OR_RAISE(const ListRequest request,
                            ParseCriteria(criteria != nullptr ? criteria->expression : ""));
      return service_->List(PatientCallerOf(context), request);
    }();
    if (!datasets.ok()) return ForClient(datasets.status(), "ListFlights", *logger_);
    *listing =
        std::make_unique<Listing>(*std::move(datasets), service_.get(), &infos_, logger_.get());
    return arrow::Status::OK();
  }

  arrow::Status GetFlightInfo(const flight::ServerCallContext& context,
                              const flight::FlightDescriptor& descriptor,
                              std::unique_ptr<flight::FlightInfo>* info) override {
    auto described = Describe(context, descriptor);
    if (!described.ok()) return ForClient(described.status(), "GetFlightInfo", *logger_);
    *info = std::make_unique<flight::FlightInfo>(*std::move(described));
    return arrow::Status::OK();
  }

  arrow::Status PollFlightInfo(const flight::ServerCallContext& context,
                               const flight::FlightDescriptor& descriptor,
                               std::unique_ptr<flight::PollInfo>* info) override {
    auto described = Describe(context, descriptor);
    if (!described.ok()) return ForClient(described.status(), "PollFlightInfo", *logger_);
    *info = std::make_unique<flight::PollInfo>(
        std::make_unique<flight::FlightInfo>(*std::move(described)), /*descriptor=*/std::nullopt,
        /*progress=*/1.0, /*expiration_time=*/std::nullopt);
    return arrow::Status::OK();
  }

  arrow::Status GetSchema(const flight::ServerCallContext& context,
                          const flight::FlightDescriptor& descriptor,
                          std::unique_ptr<flight::SchemaResult>* result) override {
    auto schema = [&]() -> arrow::Result<std::unique_ptr<flight::SchemaResult>> {
      ARROW_ASSIGN_OR_RAISE(const ReadCommand command, ParseReadDescriptor(descriptor));
      ARROW_ASSIGN_OR_RAISE(
          const ReadDescription description,
          service_->DescribeRead(CallerOf(context), command.read, command.partitions));
      ARROW_ASSIGN_OR_RAISE(std::string schema, IpcSchemaOf(description));
      return std::make_unique<flight::SchemaResult>(std::move(schema));
    }();
    if (!schema.ok()) return ForClient(schema.status(), "GetSchema", *logger_);
    *result = *std::move(schema);
    return arrow::Status::OK();
  }

  arrow::Status DoGet(const flight::ServerCallContext& context, const flight::Ticket& ticket,
                      std::unique_ptr<flight::FlightDataStream>* stream) override {
    auto started = [&]() -> arrow::Result<std::unique_ptr<flight::FlightDataStream>> {
      ARROW_ASSIGN_OR_RAISE(const TicketContents contents, DecodeTicket(ticket.ticket));
      ARROW_ASSIGN_OR_RAISE(const auto options, WriteOptionsFor(contents.compression));
      ARROW_ASSIGN_OR_RAISE(auto batches, service_->Read(CallerOf(context), contents.read));
      return std::make_unique<ReadStream>(std::move(batches), options, logger_.get());
    }();
    if (!started.ok()) return ForClient(started.status(), "DoGet", *logger_);
    *stream = *std::move(started);
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const flight::ServerCallContext& context,
                      std::unique_ptr<flight::FlightMessageReader> reader,
                      std::unique_ptr<flight::FlightMetadataWriter> writer) override {
    const auto result = ReceiveUpload(*service_, CallerOf(context), *reader);
    if (!result.ok()) return ForClient(result.status(), "DoPut", *logger_);
    nlohmann::json object = {{"dataset", result->dataset},
                             {"version", result->version},
                             {"rows", result->rows},
                             {"bytes", result->bytes}};
    if (result->repeated) object["repeated"] = true;
    // The dataset is stored. A client that no longer listens does not change that.
    const auto written = writer->WriteMetadata(*arrow::Buffer::FromString(object.dump()));
    if (!written.ok()) {
      logger_->Warning("the result of an upload could not be sent", {{"dataset", result->dataset}});
    }
    return arrow::Status::OK();
  }

  arrow::Status DoExchange(const flight::ServerCallContext&,
                           std::unique_ptr<flight::FlightMessageReader>,
                           std::unique_ptr<flight::FlightMessageWriter>) override {
    return MakeError(ErrorKind::kUnimplemented,
                     "this server does not offer DoExchange; use DoPut to store and DoGet to read");
  }

  arrow::Status ListActions(const flight::ServerCallContext&,
                            std::vector<flight::ActionType>* actions) override {
    *actions = DescribeActions();
    return arrow::Status::OK();
  }

  arrow::Status DoAction(const flight::ServerCallContext& context, const flight::Action& action,
                         std::unique_ptr<flight::ResultStream>* results) override {
    auto started = RunAction(*service_, CallerOf(context), action);
    if (!started.ok()) return ForClient(started.status(), "DoAction", *logger_);
    *results = std::make_unique<ActionStream>(*std::move(started), logger_.get());
    return arrow::Status::OK();
  }

 private:
  arrow::Result<flight::FlightInfo> Describe(const flight::ServerCallContext& context,
                                             const flight::FlightDescriptor& descriptor) {
    ARROW_ASSIGN_OR_RAISE(const ReadCommand command, ParseReadDescriptor(descriptor));
    ARROW_ASSIGN_OR_RAISE(
        const ReadDescription description,
        service_->DescribeRead(CallerOf(context), command.read, command.partitions));
    return infos_.ForRead(descriptor, command, description);
  }

  const std::shared_ptr<DatasetService> service_;
  const FlightInfoBuilder infos_;
  const std::shared_ptr<Logger> logger_;
};

FlightDoor::FlightDoor(std::unique_ptr<grpc::Service> health,
                       std::unique_ptr<StallGuard> stall_guard, std::unique_ptr<Server> server,
                       std::shared_ptr<ActiveCalls> active_calls, std::string uri)
    : health_(std::move(health)),
      stall_guard_(std::move(stall_guard)),
      server_(std::move(server)),
      active_calls_(std::move(active_calls)),
      uri_(std::move(uri)) {}

FlightDoor::~FlightDoor() {
  if (running_) (void)Shutdown(std::chrono::milliseconds(0));
}

arrow::Result<std::unique_ptr<FlightDoor>> FlightDoor::Start(
    std::shared_ptr<DatasetService> service, const FlightDoorOptions& options,
    std::shared_ptr<Logger> logger) {
  ARROW_ASSIGN_OR_RAISE(const ListenAddress address, ParseListenAddress(options.listen));
  auto infos = FlightInfoBuilder::Make(options.advertise);
  if (!infos.ok()) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "an address to advertise is not a URI such as grpc://data.example.org:8815");
  }
  ARROW_RETURN_NOT_OK(CheckCanListen(address));
  ARROW_ASSIGN_OR_RAISE(const auto location, flight::Location::Parse(address.ToUri(address.port)));
  flight::FlightServerOptions server_options(location);
  const auto active_calls = std::make_shared<ActiveCalls>();
  server_options.middleware.emplace_back("active_calls", MakeCallGate(active_calls));
  server_options.middleware.emplace_back("call_log", MakeCallLog(logger));
  server_options.middleware.emplace_back("call_limiter", MakeCallLimiter(options.calls));
  auto stall_guard = std::make_unique<StallGuard>(options.stall_timeout, logger);
  auto health = MakeHealthService([active_calls] { return active_calls->is_open(); });
  auto server = std::make_unique<Server>(std::move(service), *std::move(infos), logger);
  server_options.builder_hook = [&](void* raw_builder) {
    auto* builder = static_cast<grpc::ServerBuilder*>(raw_builder);
    builder->RegisterService(health.get());
    SetLimits(options, *builder);
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
    creators.push_back(MakeStatusInterceptor());
    creators.push_back(stall_guard->MakeInterceptor());
    builder->experimental().SetInterceptorCreators(std::move(creators));
  };
  // gRPC's library, once its last user is gone, can wait ten seconds for objects of its own that it
  // lost count of. One use that is never given back keeps it from trying; the process ends soon.
  grpc_init();
  const auto started = server->Init(server_options);
  if (!started.ok()) {
    logger->Error("the Flight server did not start", {{"reason", started.ToString()}});
    return Error(ErrorKind::kFailedPrecondition, "cannot listen on {}", options.listen);
  }
  std::string uri = address.ToUri(server->port());
  return std::unique_ptr<FlightDoor>(new FlightDoor(
      std::move(health), std::move(stall_guard), std::move(server), active_calls, std::move(uri)));
}

arrow::Status FlightDoor::Shutdown(std::chrono::milliseconds grace) {
  running_ = false;
  active_calls_->CloseGate();
  active_calls_->WaitUntilNone(std::chrono::steady_clock::now() + grace);
  // gRPC's own shutdown waits for idle clients to close their connections, which they do within
  // five seconds (their backup poll): the grace is for calls, so it gets only the time that the
  // last answers need on their way out.
  const auto deadline = std::chrono::system_clock::now() + kLastAnswers;
  return server_->Shutdown(&deadline);
}

}  // namespace hangar
