#include "client/servers.h"

#include <chrono>
#include <format>
#include <random>
#include <thread>

#include "base/error.h"

namespace hangar::client {
namespace {

// Twice around, as one of two servers may end while the other begins anew.
constexpr int kRounds = 2;
// Between them, so that servers that begin anew are not asked by all their clients at once.
constexpr int kPauseMillisecondsMin = 200;
constexpr int kPauseMillisecondsMax = 600;

void Pause() {
  std::random_device random;
  std::uniform_int_distribution<int> milliseconds(kPauseMillisecondsMin, kPauseMillisecondsMax);
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds(random)));
}

}  // namespace

arrow::Result<std::shared_ptr<Servers>> Servers::Open(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto session, Session::Make(options));
  std::shared_ptr<Servers> servers(new Servers(options, std::move(session)));
  // So that what is wrong with an address is known now and not when the others have failed.
  for (const std::string& uri : servers->addresses()) {
    ARROW_RETURN_NOT_OK(servers->At(uri).status());
  }
  return servers;
}

arrow::Result<std::shared_ptr<Connection>> Servers::At(const std::string& uri) {
  const MutexLock lock(mutex_);
  std::shared_ptr<Connection>& connection = connections_[uri];
  if (connection == nullptr) {
    ARROW_ASSIGN_OR_RAISE(
        connection,
        Connection::Open(uri, session_, several() ? Session::Watch::kYes : Session::Watch::kNo));
  }
  return connection;
}

void Servers::NoteFailure(const std::string& uri, const std::string& next) {
  if (!health_.Failed(uri) || !on_failover_ || next == uri) return;
  on_failover_(std::format("{} does not answer; going on at {}", uri, next));
}

void Servers::NoteFailure(const std::string& uri) {
  std::vector<std::string> others = addresses();
  std::erase(others, uri);
  NoteFailure(uri, others.empty() ? uri : health_.InOrder(std::move(others)).front());
}

bool IsOfTheServer(const arrow::Status& status) {
  const ErrorKind kind = KindOf(status);
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled;
}

Failover::Failover(Servers* servers, Repeat repeat)
    : servers_(servers),
      repeat_(repeat),
      order_(servers->health().InOrder(servers->addresses())),
      rounds_left_(servers->several() ? kRounds - 1 : 0) {}

arrow::Result<Attempt> Failover::Next() {
  if (next_ == order_.size()) {
    Pause();
    --rounds_left_;
    next_ = 0;
    order_ = servers_->health().InOrder(servers_->addresses());
  }
  ++attempts_;
  ARROW_ASSIGN_OR_RAISE(auto connection, servers_->At(order_[next_++]));
  return Attempt{.connection = std::move(connection)};
}

bool Failover::GoesOn(const Attempt& attempt, const arrow::Status& status) {
  if (!servers_->several() || !IsOfTheServer(status)) return false;
  const std::string& uri = attempt.connection->uri();
  sentences_[uri] = status.message();
  const bool is_last = next_ == order_.size() && rounds_left_ == 0;
  const bool goes_on = !is_last && (attempt.not_begun || repeat_ == Repeat::kAlways);
  servers_->NoteFailure(uri, goes_on && next_ < order_.size() ? order_[next_] : uri);
  return goes_on;
}

arrow::Status Failover::Failure(const Attempt& attempt, const arrow::Status& status) const {
  if (!servers_->several() || !IsOfTheServer(status)) return status;
  if (repeat_ == Repeat::kIfNotBegun && !attempt.not_begun) {
    // gRPC has no words for why a call was cancelled, as a server that stops does.
    const std::string& uri = attempt.connection->uri();
    const std::string why = KindOf(status) == ErrorKind::kCancelled
                                ? std::format("{} ended the call", uri)
                                : status.message();
    return Error(ErrorKind::kUnavailable,
                 "{}; it is not known whether the server did what it was asked to, so no other was "
                 "asked: look before you try again",
                 why);
  }
  std::string all;
  for (const auto& [uri, sentence] : sentences_) all += (all.empty() ? "" : "; ") + sentence;
  return Error(ErrorKind::kUnavailable, "none of the {} servers answers: {}",
               servers_->addresses().size(), all);
}

}  // namespace hangar::client
