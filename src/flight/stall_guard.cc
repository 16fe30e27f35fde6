#include "flight/stall_guard.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <grpc/grpc.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_interceptor.h>

#include "flight/connection_progress.h"

namespace hangar {
namespace {

constexpr int kLooksPerTimeout = 4;
// Fewer bytes than this between two looks are no progress: the answers to gRPC's pings.
constexpr int64_t kProgressBytes = 1024;
constexpr int kTimeoutsPerMessage = 16;

enum class Waiting {
  kNot,
  kForClientToTake,
  kForClientToSend,
};

// What a batch of gRPC's operations waits for. An interceptor sees each batch before it begins and
// after it ended (grpcpp/impl/codegen/call_op_set.h); reads have no hook of their own at the
// beginning, only the message that is to be filled.
Waiting WaitOf(grpc::experimental::InterceptorBatchMethods& batch) {
  using Hook = grpc::experimental::InterceptionHookPoints;
  if (batch.QueryInterceptionHookPoint(Hook::PRE_SEND_INITIAL_METADATA) ||
      batch.QueryInterceptionHookPoint(Hook::PRE_SEND_MESSAGE) ||
      batch.QueryInterceptionHookPoint(Hook::PRE_SEND_STATUS)) {
    return Waiting::kForClientToTake;
  }
  if (batch.QueryInterceptionHookPoint(Hook::POST_RECV_MESSAGE)) return Waiting::kNot;
  return batch.GetRecvMessage() != nullptr ? Waiting::kForClientToSend : Waiting::kNot;
}

}  // namespace

// A call that is to be ended. It holds gRPC's call, so that it can be ended without any lock.
struct StallGuard::Stalled {
  grpc_call* call;
  Waiting waiting;
  std::string method;
  std::string peer;
};

// One call, owned by gRPC. While it waits, the handler's thread is inside gRPC, and the locks keep
// it from getting on and ending while it is looked at.
class StallGuard::Call final : public grpc::experimental::Interceptor {
 public:
  Call(StallGuard* guard, grpc::experimental::ServerRpcInfo* call)
      : guard_(guard), context_(call->server_context()), method_(call->method()) {
    MutexLock lock(guard_->mutex_);
    guard_->calls_.insert(this);
    if (guard_->calls_.size() == 1) guard_->changed_.NotifyAll();
  }

  ~Call() override {
    MutexLock lock(guard_->mutex_);
    guard_->calls_.erase(this);
  }

  void Intercept(grpc::experimental::InterceptorBatchMethods* batch) override {
    using Hook = grpc::experimental::InterceptionHookPoints;
    // These two come from other threads than the handler's, and may come while it waits.
    if (!batch->QueryInterceptionHookPoint(Hook::POST_RECV_CLOSE) &&
        !batch->QueryInterceptionHookPoint(Hook::PRE_SEND_CANCEL)) {
      const Clock::time_point now = Clock::now();
      MutexLock lock(mutex_);
      waiting_ = WaitOf(*batch);
      began_ = now;
      moved_ = now;
      bytes_.reset();
    }
    batch->Proceed();
  }

  /// True when it waits for so long that its connection should be looked at.
  bool IsWorthALook(Clock::time_point now) HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return IsSlow(now);
  }

  /// The call, if its client stalls; the next answer is nullopt then.
  std::optional<Stalled> Judge(
      const std::unordered_map<std::string, ConnectionProgress>& connections, Clock::time_point now)
      HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!IsSlow(now)) return std::nullopt;
    const std::string peer = context_->peer();
    if (const auto found = connections.find(peer); found != connections.end()) {
      const int64_t bytes = waiting_ == Waiting::kForClientToTake ? found->second.acknowledged
                                                                  : found->second.received;
      if (bytes_ && bytes - *bytes_ >= kProgressBytes) moved_ = now;
      if (!bytes_ || moved_ == now) bytes_ = bytes;
    }
    if (now - moved_ < guard_->timeout_ && now - began_ < kTimeoutsPerMessage * guard_->timeout_) {
      return std::nullopt;
    }
    Stalled stalled{context_->c_call(), waiting_, method_, peer};
    grpc_call_ref(stalled.call);
    waiting_ = Waiting::kNot;
    return stalled;
  }

 private:
  bool IsSlow(Clock::time_point now) const HANGAR_REQUIRES(mutex_) {
    return waiting_ != Waiting::kNot && now - began_ >= guard_->timeout_ / kLooksPerTimeout;
  }

  StallGuard* const guard_;
  grpc::ServerContextBase* const context_;
  const std::string method_;
  Mutex mutex_;
  Waiting waiting_ HANGAR_GUARDED_BY(mutex_) = Waiting::kNot;
  Clock::time_point began_ HANGAR_GUARDED_BY(mutex_);
  // When progress was last seen, and the connection's bytes then; bytes_ is absent until they were
  // looked at.
  Clock::time_point moved_ HANGAR_GUARDED_BY(mutex_);
  std::optional<int64_t> bytes_ HANGAR_GUARDED_BY(mutex_);
};

class StallGuard::Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(StallGuard* guard) : guard_(guard) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* call) override {
    return new Call(guard_, call);  // gRPC owns it.
  }

 private:
  StallGuard* const guard_;
};

StallGuard::StallGuard(std::chrono::milliseconds timeout, std::shared_ptr<Logger> logger)
    : timeout_(timeout), logger_(std::move(logger)), watcher_([this] { Watch(); }) {}

StallGuard::~StallGuard() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  watcher_.join();
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
StallGuard::MakeInterceptor() {
  return std::make_unique<Factory>(this);
}

void StallGuard::Watch() {
  while (WaitToLook()) Look(Clock::now());
}

bool StallGuard::WaitToLook() {
  MutexLock lock(mutex_);
  while (!stopping_ && calls_.empty()) changed_.Wait(mutex_);
  const Clock::time_point next = Clock::now() + timeout_ / kLooksPerTimeout;
  while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
  }
  return !stopping_;
}

void StallGuard::Look(Clock::time_point now) {
  {
    MutexLock lock(mutex_);
    const bool any =
        std::ranges::any_of(calls_, [&](Call* call) { return call->IsWorthALook(now); });
    if (!any) return;
  }
  const auto connections = ProgressByPeer();
  std::vector<Stalled> stalled;
  {
    MutexLock lock(mutex_);
    for (Call* call : calls_) {
      if (auto found = call->Judge(connections, now)) stalled.push_back(*std::move(found));
    }
  }
  for (const Stalled& call : stalled) End(call);
}

void StallGuard::End(const Stalled& stalled) {
  const bool takes = stalled.waiting == Waiting::kForClientToTake;
  const std::string sentence = std::format(
      "the client {} for {}, so the server ended the call (its setting stall_timeout)",
      takes ? "took nothing of what was sent to it" : "sent nothing of what was waited for",
      std::chrono::duration<double>(timeout_));
  // As ServerContext::TryCancel, but with a code and a sentence that say why.
  (void)grpc_call_cancel_with_status(stalled.call, GRPC_STATUS_DEADLINE_EXCEEDED, sentence.c_str(),
                                     nullptr);
  grpc_call_unref(stalled.call);
  logger_->Warning("ended a call whose client stalled",
                   {{"method", stalled.method},
                    {"peer", stalled.peer},
                    {"waited_for_the_client_to", takes ? "take" : "send"}});
}

}  // namespace hangar
