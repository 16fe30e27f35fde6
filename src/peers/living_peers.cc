#include "peers/living_peers.h"

#include <utility>

#include "peers/rendezvous.h"

namespace hangar {
namespace {

// Of questions in a row. One alone may be lost without anything being wrong.
constexpr int kFailuresOfTheDead = 2;

}  // namespace

void LivingPeers::SetPeers(const std::vector<Peer>& peers) {
  std::map<std::string, State> next;
  std::vector<std::string> come;
  std::vector<std::string> gone;
  {
    const MutexLock lock(mutex_);
    for (const Peer& peer : peers) {
      const std::string uri = peer.address.ToUri();
      const auto known = peers_.find(uri);
      const auto [place, is_new] = next.try_emplace(uri);
      if (is_new && known == peers_.end()) come.push_back(uri);
      if (is_new && known != peers_.end()) {
        place->second = known->second;
        place->second.is_self = false;
      }
      place->second.is_self |= peer.is_self;
    }
    for (const auto& [uri, state] : peers_) {
      if (!next.contains(uri)) gone.push_back(uri);
    }
    peers_ = std::move(next);
    FindLiving();
  }
  for (const std::string& uri : come) logger_->Info("a peer is listed", {{"peer", uri}});
  for (const std::string& uri : gone) logger_->Info("a peer is listed no more", {{"peer", uri}});
}

void LivingPeers::Note(const std::string& uri, PeerHealth health, const std::string& reason) {
  {
    const MutexLock lock(mutex_);
    const auto found = peers_.find(uri);
    if (found == peers_.end()) return;
    State& state = found->second;
    state.failures = health == PeerHealth::kUnreachable ? state.failures + 1 : 0;
    const bool is_doubtful =
        health == PeerHealth::kUnreachable && state.failures < kFailuresOfTheDead;
    if (is_doubtful && state.health == PeerHealth::kServing) return;
    const bool is_news = !std::exchange(state.is_known, true) || state.health != health;
    state.health = health;
    if (!is_news) return;
    FindLiving();
  }
  switch (health) {
    case PeerHealth::kServing:
      logger_->Info("a peer serves", {{"peer", uri}});
      break;
    case PeerHealth::kNotServing:
      logger_->Info("a peer says that it does not serve", {{"peer", uri}});
      break;
    case PeerHealth::kUnreachable:
      logger_->Warning("a peer does not answer", {{"peer", uri}, {"reason", reason}});
      break;
  }
}

void LivingPeers::StopNamingSelf() {
  const MutexLock lock(mutex_);
  names_self_ = false;
  FindLiving();
}

void LivingPeers::FindLiving() {
  auto living = std::make_shared<std::vector<std::string>>();
  const std::string* self = nullptr;
  for (const auto& [uri, state] : peers_) {
    if (state.is_self) self = &uri;
    if (state.is_self ? names_self_ : state.health == PeerHealth::kServing) living->push_back(uri);
  }
  // Whoever asks reached this server, which still reads what it promised.
  if (living->empty() && self != nullptr) living->push_back(*self);
  living_ = std::move(living);
}

std::vector<std::string> LivingPeers::LocationsOf(std::string_view key) const {
  Living living;
  {
    const MutexLock lock(mutex_);
    living = living_;
  }
  return RendezvousOrder(*living, key, kLocationsMax);
}

size_t LivingPeers::Count(PeerHealth health) const {
  const MutexLock lock(mutex_);
  size_t count = 0;
  for (const auto& [uri, state] : peers_) {
    const PeerHealth own = names_self_ ? PeerHealth::kServing : PeerHealth::kNotServing;
    if ((state.is_self ? own : state.health) == health) ++count;
  }
  return count;
}

void LivingPeers::ShowIn(Metrics* metrics) {
  const auto show = [&](const char* state, PeerHealth health) {
    metrics->AskGauge(
        "hangar_peers", "Servers of the same datasets, this one among them, by what they are.",
        {{"state", state}}, [this, health] { return static_cast<double>(Count(health)); });
  };
  show("serving", PeerHealth::kServing);
  show("not_serving", PeerHealth::kNotServing);
  show("unreachable", PeerHealth::kUnreachable);
}

}  // namespace hangar
