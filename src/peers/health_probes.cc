#include "peers/health_probes.h"

#include <map>
#include <string_view>
#include <utility>

#include <grpc/grpc.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>

namespace hangar {
namespace {

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
// In protobuf's encoding, the field `status` of a reply with the value SERVING
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
constexpr std::string_view kServing("\x08\x01", 2);
constexpr int kReconnectMilliseconds = 500;
constexpr int kReplyBytesMax = 1 << 10;

// One question, from when it is asked until its answer was taken.
struct Question {
  std::string uri;
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> call;
  grpc::ByteBuffer reply;
  grpc::Status status;
};

PeerHealth HealthOf(const Question& question) {
  if (!question.status.ok()) return PeerHealth::kUnreachable;
  grpc::Slice bytes;
  if (!question.reply.DumpToSingleSlice(&bytes).ok()) return PeerHealth::kUnreachable;
  const std::string_view reply(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
  return reply == kServing ? PeerHealth::kServing : PeerHealth::kNotServing;
}

}  // namespace

struct HealthProbes::Parts {
  std::shared_ptr<grpc::Channel> ChannelTo(const FlightAddress& address) {
    auto& channel = channels[address.ToUri()];
    if (channel == nullptr) channel = Connect(address);
    return channel;
  }

  std::shared_ptr<grpc::Channel> Connect(const FlightAddress& address) const {
    grpc::ChannelArguments arguments;
    // A new channel is a new connection; a peer is reached without a proxy, and soon again.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
    arguments.SetMaxReceiveMessageSize(kReplyBytesMax);
    const auto credentials = address.is_tls
                                 ? grpc::SslCredentials({.pem_root_certs = tls.authorities,
                                                         .pem_private_key = tls.key,
                                                         .pem_cert_chain = tls.certificate})
                                 : grpc::InsecureChannelCredentials();
    return grpc::CreateCustomChannel(address.where.ToString(), credentials, arguments);
  }

  PeerTls tls;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels;  // By URI.
  std::map<void*, std::unique_ptr<Question>> asked;                // By tag.
  grpc::CompletionQueue queue;
};

HealthProbes::HealthProbes() : parts_(std::make_unique<Parts>()) {}

HealthProbes::~HealthProbes() {
  for (const auto& [tag, question] : parts_->asked) question->context.TryCancel();
  parts_->queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (parts_->queue.Next(&tag, &ok)) parts_->asked.erase(tag);
}

void HealthProbes::SetTls(PeerTls tls) {
  if (tls == parts_->tls) return;
  parts_->tls = std::move(tls);
  parts_->channels.clear();
}

void HealthProbes::Begin(const FlightAddress& address, std::chrono::milliseconds timeout) {
  auto question = std::make_unique<Question>();
  question->uri = address.ToUri();
  question->context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::GenericStub stub(parts_->ChannelTo(address));
  // An empty message: it is about the server as a whole. (Not a ByteBuffer() of nothing, which is
  // sent as no message at all.)
  const grpc::Slice empty;
  question->call = stub.PrepareUnaryCall(&question->context, kCheck, grpc::ByteBuffer(&empty, 1),
                                         &parts_->queue);
  question->call->StartCall();
  question->call->Finish(&question->reply, &question->status, question.get());
  void* const tag = question.get();
  parts_->asked.emplace(tag, std::move(question));
}

std::optional<ProbeResult> HealthProbes::Next(std::chrono::system_clock::time_point time) {
  void* tag = nullptr;
  bool ok = false;
  if (parts_->queue.AsyncNext(&tag, &ok, time) != grpc::CompletionQueue::GOT_EVENT) {
    return std::nullopt;
  }
  const auto answered = parts_->asked.extract(tag);
  const Question& question = *answered.mapped();
  if (question.status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) Forget(question.uri);
  return ProbeResult{
      .uri = question.uri, .health = HealthOf(question), .reason = question.status.error_message()};
}

void HealthProbes::Forget(const std::string& uri) { parts_->channels.erase(uri); }

}  // namespace hangar
