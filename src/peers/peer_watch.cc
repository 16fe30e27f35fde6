#include "peers/peer_watch.h"

#include <algorithm>
#include <map>
#include <utility>

#include "access/reloaded_file.h"
#include "base/error.h"

namespace hangar {
namespace {

using Clock = std::chrono::steady_clock;

// How long the thread waits at most before it looks whether it is to end.
constexpr std::chrono::milliseconds kLookInterval{100};

// Asks each peer when that is due.
class Round {
 public:
  Round(std::chrono::milliseconds interval, std::chrono::milliseconds timeout)
      : interval_(interval), timeout_(timeout) {}

  // Asks those who are due, forgets those who are no peers any more.
  void Ask(const std::vector<Peer>& peers, HealthProbes& probes) {
    const auto now = Clock::now();
    std::map<std::string, Due> next;
    for (const Peer& peer : peers) {
      if (peer.is_self) continue;
      const std::string uri = peer.address.ToUri();
      Due& due = next[uri] = due_[uri];
      if (due.is_asked || now < due.time) continue;
      due = {.time = now + interval_, .is_asked = true};
      probes.Begin(peer.address, timeout_);
    }
    for (const auto& [uri, due] : due_) {
      if (next.contains(uri)) continue;
      // Its answer is still to come.
      if (due.is_asked) {
        next[uri] = due;
      } else {
        probes.Forget(uri);
      }
    }
    due_ = std::move(next);
  }

  void NoteAnswer(const std::string& uri) { due_[uri].is_asked = false; }

 private:
  struct Due {
    Clock::time_point time{};  // At once.
    bool is_asked = false;
  };

  const std::chrono::milliseconds interval_;
  const std::chrono::milliseconds timeout_;
  std::map<std::string, Due> due_;  // By URI.
};

arrow::Result<std::string> TakeText(const std::string& text, const std::string& /*path*/) {
  return text;
}

}  // namespace

arrow::Result<std::unique_ptr<PeerWatch>> PeerWatch::Start(const PeerWatchOptions& options,
                                                           std::shared_ptr<Logger> logger,
                                                           Metrics* metrics) {
  ARROW_ASSIGN_OR_RAISE(const FlightAddress self, ParseFlightAddress(options.self));
  ARROW_ASSIGN_OR_RAISE(auto source, MakePeerSource(options.peers, self, logger));
  std::shared_ptr<ReloadedFile<std::string>> authorities;
  if (!options.authorities.empty()) {
    ARROW_ASSIGN_OR_RAISE(authorities,
                          ReloadedFile<std::string>::Make(options.authorities, TakeText, logger));
  }
  const auto tls = [authorities, own = options.own_certificate] {
    PeerTls material;
    if (authorities != nullptr) material.authorities = *authorities->Current();
    if (own != nullptr) {
      const auto pair = own->Current();
      material.certificate = pair->certificate;
      material.key = pair->key;
    }
    return material;
  };
  std::unique_ptr<PeerWatch> watch(
      new PeerWatch(options, std::move(source), tls, std::move(logger)));
  if (metrics != nullptr) watch->living_->ShowIn(metrics);
  return watch;
}

PeerWatch::PeerWatch(const PeerWatchOptions& options, std::unique_ptr<PeerSource> source,
                     std::function<PeerTls()> tls, std::shared_ptr<Logger> logger)
    : interval_(options.interval),
      timeout_(options.timeout),
      source_(std::move(source)),
      tls_(std::move(tls)),
      living_(std::make_shared<LivingPeers>(std::move(logger))) {
  living_->SetPeers(source_->Current());
  thread_ = std::thread([this] { Run(); });
}

PeerWatch::~PeerWatch() {
  is_stopping_ = true;
  thread_.join();
}

void PeerWatch::Run() {
  HealthProbes probes;
  Round round(interval_, timeout_);
  while (!is_stopping_) {
    const std::vector<Peer> peers = source_->Current();
    living_->SetPeers(peers);
    probes.SetTls(tls_());
    round.Ask(peers, probes);
    const auto until = std::chrono::system_clock::now() + std::min(interval_, kLookInterval);
    // Those who answered are asked again when that is due, so the loop goes on after each answer.
    while (const auto result = probes.Next(until)) {
      round.NoteAnswer(result->uri);
      living_->Note(result->uri, result->health, result->reason);
    }
  }
}

}  // namespace hangar
