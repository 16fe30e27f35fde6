#include "flight/flight_door.h"

#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/flight/server.h>
#include <arrow/flight/types.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/server_interceptor.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/network_address.h"
#include "flight/access_middleware.h"
#include "flight/actions.h"
#include "flight/active_calls.h"
#include "flight/call_limiter.h"
#include "flight/call_log.h"
#include "flight/certificate_interceptor.h"
#include "flight/command.h"
#include "flight/connection_progress.h"
#include "flight/file_stream.h"
#include "flight/flight_info.h"
#include "flight/health_service.h"
#include "flight/listen_address.h"
#include "flight/private_socket.h"
#include "flight/receive_upload.h"
#include "flight/server_limits.h"
#include "flight/stall_guard.h"
#include "flight/status_interceptor.h"
#include "flight/status_table.h"
#include "flight/ticket.h"
#include "flight/tls_credentials.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

constexpr std::chrono::milliseconds kLastAnswers{250};

Caller CallerOf(const flight::ServerCallContext& context) {
  Caller caller{.peer = TextOfPeer(context.peer()),
                .is_cancelled = [&context] { return context.is_cancelled(); },
                .identity = IdentityOf(context)};
  CompleteCaller(context, &caller);
  return caller;
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

bool AsksWho(const FlightDoorOptions& options) {
  return options.authenticator != nullptr && options.authenticator->is_required();
}

// What encrypts the address, or nullptr; its scheme says then which it is.
arrow::Result<std::shared_ptr<grpc::ServerCredentials>> OpenTls(const FlightDoorOptions& options,
                                                                ListenAddress& address) {
  if (address.is_unix()) return nullptr;
  if (!options.tls.is_on()) {
    if (!address.is_tls()) return nullptr;
    return Error(ErrorKind::kInvalidArgument,
                 "cannot listen on {}: grpc+tls needs a certificate and its key (--tls-cert, "
                 "--tls-key)",
                 options.listen);
  }
  address.scheme = kTlsScheme;
  return MakeTlsCredentials(options.tls.files, options.tls.client_certificates);
}

// What each call goes through, in this order: it is noted before it can be refused, and limits are
// by who makes it.
void AddMiddleware(const FlightDoorOptions& options, std::shared_ptr<ActiveCalls> active_calls,
                   const std::shared_ptr<Logger>& logger, flight::FlightServerOptions& server) {
  server.middleware.emplace_back("active_calls", MakeCallGate(std::move(active_calls)));
  server.middleware.emplace_back(kCallLogMiddleware, MakeCallLog(options.observer));
  if (AsksWho(options)) {
    server.auth_handler = MakeHandshakeHandler();
    server.middleware.emplace_back(kAccessMiddleware,
                                   MakeAccessMiddleware(options.authenticator, logger));
  }
  server.middleware.emplace_back("call_limiter", MakeCallLimiter(options.calls));
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
    const auto info = Describe(context, descriptor);
    if (!info.ok()) return ForClient(info.status(), "GetSchema", *logger_);
    *result = std::make_unique<flight::SchemaResult>(info->serialized_schema());
    return arrow::Status::OK();
  }

  arrow::Status DoGet(const flight::ServerCallContext& context, const flight::Ticket& ticket,
                      std::unique_ptr<flight::FlightDataStream>* stream) override {
    auto started = [&]() -> arrow::Result<std::unique_ptr<flight::FlightDataStream>> {
      ARROW_ASSIGN_OR_RAISE(const TicketContents contents, DecodeTicket(ticket.ticket));
      ARROW_ASSIGN_OR_RAISE(const auto options, WriteOptionsFor(contents.compression));
      ARROW_ASSIGN_OR_RAISE(auto batches, Redeem(CallerOf(context), contents));
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
    const Caller caller = CallerOf(context);
    ARROW_ASSIGN_OR_RAISE(const ReadDescription description,
                          service_->DescribeRead(caller, command.read, command.partitions));
    if (command.format == DataFormat::kArrow) {
      return infos_.ForRead(descriptor, command, description);
    }
    // Not everybody who may read rows may have the file.
    const DatasetDescription& dataset = description.dataset;
    ARROW_RETURN_NOT_OK(
        service_->OpenFile(caller, {.dataset = dataset.name, .version = dataset.version}));
    return infos_.ForFile(descriptor, command.partitions, dataset, description.expires);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Redeem(const Caller& caller,
                                                                  const TicketContents& contents) {
    if (!contents.file) return service_->Read(caller, contents.read);
    ARROW_ASSIGN_OR_RAISE(auto file,
                          service_->OpenFile(caller, {.dataset = contents.read.dataset,
                                                      .version = contents.read.version}));
    return StreamFile(std::move(file), *contents.file);
  }

  const std::shared_ptr<DatasetService> service_;
  const FlightInfoBuilder infos_;
  const std::shared_ptr<Logger> logger_;
};

// In the order of their construction: the server calls all before it.
struct FlightDoor::Parts {
  std::shared_ptr<grpc::ServerCredentials> tls;  // nullptr: no encryption.
  std::shared_ptr<ActiveCalls> active_calls;
  std::unique_ptr<StallGuard> stall_guard;
  std::atomic<bool> is_stopping = false;
  bool has_peers = false;
  std::unique_ptr<grpc::Service> health;
  std::unique_ptr<Server> server;
  std::string uri;
};

FlightDoor::FlightDoor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

FlightDoor::~FlightDoor() {
  if (running_) (void)Shutdown(std::chrono::milliseconds(0));
}

const std::string& FlightDoor::uri() const { return parts_->uri; }

arrow::Result<std::unique_ptr<FlightDoor>> FlightDoor::Start(
    std::shared_ptr<DatasetService> service, const FlightDoorOptions& options,
    std::shared_ptr<Logger> logger) {
  ARROW_ASSIGN_OR_RAISE(ListenAddress address, ParseListenAddress(options.listen));
  auto infos = FlightInfoBuilder::Make(options.advertise, options.peers);
  if (!infos.ok()) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "an address to advertise is not a URI such as grpc://data.example.org:8815");
  }
  auto parts = std::make_unique<Parts>();
  ARROW_ASSIGN_OR_RAISE(parts->tls, OpenTls(options, address));
  ARROW_RETURN_NOT_OK(CheckEncryption({.uri = address.ToUri(address.port),
                                       .host = address.host,
                                       .is_encrypted = parts->tls != nullptr,
                                       .is_authenticated = AsksWho(options),
                                       .insecure = options.insecure}));
  ARROW_RETURN_NOT_OK(CheckCanListen(address));
  parts->active_calls = std::make_shared<ActiveCalls>();
  parts->has_peers = options.peers != nullptr;
  parts->stall_guard = std::make_unique<StallGuard>(options.stall_timeout, logger);
  parts->health = MakeHealthService([raw = parts.get()] { return !raw->is_stopping; });
  parts->server = std::make_unique<Server>(std::move(service), *std::move(infos), logger);
  ARROW_RETURN_NOT_OK(StartServer(address, options, logger, *parts));
  return std::unique_ptr<FlightDoor>(new FlightDoor(std::move(parts)));
}

arrow::Status FlightDoor::StartServer(const ListenAddress& address,
                                      const FlightDoorOptions& options,
                                      const std::shared_ptr<Logger>& logger, Parts& parts) {
  // Flight's own port would keep its certificate for good, so an encrypted one is opened beside it.
  std::unique_ptr<PrivateSocket> unused;
  if (parts.tls != nullptr) {
    ARROW_ASSIGN_OR_RAISE(unused, PrivateSocket::Make());
  }
  const std::string flights_own =
      unused != nullptr ? "grpc+unix://" + unused->path() : address.ToUri(address.port);
  ARROW_ASSIGN_OR_RAISE(const auto location, flight::Location::Parse(flights_own));
  flight::FlightServerOptions server_options(location);
  AddMiddleware(options, parts.active_calls, logger, server_options);
  int encrypted_port = 0;
  server_options.builder_hook = [&](void* raw_builder) {
    auto* builder = static_cast<grpc::ServerBuilder*>(raw_builder);
    builder->RegisterService(parts.health.get());
    SetServerLimits({.streams = options.calls->streams_max(),
                     .message_bytes = options.message_bytes,
                     .connection_bytes = options.connection_bytes,
                     .keepalive = options.keepalive},
                    *builder);
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
    creators.push_back(MakeStatusInterceptor());
    creators.push_back(parts.stall_guard->MakeInterceptor());
    if (AsksWho(options)) creators.push_back(MakeCertificateInterceptor());
    builder->experimental().SetInterceptorCreators(std::move(creators));
    if (parts.tls != nullptr) {
      builder->AddListeningPort(address.Authority(address.port), parts.tls, &encrypted_port);
    }
  };
  // gRPC's library, once its last user is gone, can wait ten seconds for objects of its own that it
  // lost count of. One use that is never given back keeps it from trying; the process ends soon.
  grpc_init();
  const auto started = parts.server->Init(server_options);
  if (!started.ok()) {
    logger->Error("the Flight server did not start", {{"reason", started.ToString()}});
    return Error(ErrorKind::kFailedPrecondition, "cannot listen on {}", options.listen);
  }
  parts.uri = address.ToUri(parts.tls != nullptr ? encrypted_port : parts.server->port());
  return arrow::Status::OK();
}

void FlightDoor::AnnounceStop() { parts_->is_stopping = true; }

arrow::Status FlightDoor::Shutdown(std::chrono::milliseconds grace) {
  running_ = false;
  AnnounceStop();
  parts_->active_calls->CloseGate();
  parts_->active_calls->WaitUntilNone(std::chrono::steady_clock::now() + grace);
  // While gRPC shuts down it cancels what comes without a word. Where clients have other servers to
  // turn to, the last who come here are told to.
  if (parts_->has_peers && grace > kLastAnswers) std::this_thread::sleep_for(kLastAnswers);
  // gRPC's own shutdown waits for idle clients to close their connections, which they do within
  // five seconds (their backup poll): the grace is for calls, so it gets only the time that the
  // last answers need on their way out.
  const auto deadline = std::chrono::system_clock::now() + kLastAnswers;
  return parts_->server->Shutdown(&deadline);
}

}  // namespace hangar
