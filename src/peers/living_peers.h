#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/flight_address.h"
#include "base/log.h"
#include "base/mutex.h"
#include "metrics/metrics.h"
#include "peers/peer_locations.h"

namespace hangar {

/// One of the servers that serve the same datasets.
struct Peer {
  FlightAddress address;
  bool is_self = false;  ///< This server.
};

/// What a server answers to the question how it is.
enum class PeerHealth {
  kServing,
  kNotServing,   ///< It says that it does not take calls, as one that stops does.
  kUnreachable,  ///< It does not answer, or not what a server of datasets does.
};

/// Who of the peers lives, as those who ask them say, and which of them gives what. Thread-safe.
///
/// A peer lives once it answered that it serves; it does no more once it says so itself, or did not
/// answer twice in a row. This server lives as long as it does not stop. Changes are logged.
class LivingPeers final : public PeerLocations {
 public:
  /// How many locations an endpoint names at most: one to read from, and as many to turn to as are
  /// not likely to be gone all at once.
  static constexpr size_t kLocationsMax = 4;

  explicit LivingPeers(std::shared_ptr<Logger> logger) : logger_(std::move(logger)) {}

  /// Which peers there are from now on; what is known of those who stay is kept. One of them has to
  /// be this server.
  void SetPeers(const std::vector<Peer>& peers) HANGAR_EXCLUDES(mutex_);

  /// What became of asking a peer, and the reason why it did not answer, for the log. One that is
  /// no peer any more is passed over.
  void Note(const std::string& uri, PeerHealth health, const std::string& reason = "")
      HANGAR_EXCLUDES(mutex_);

  /// This server is to be turned to no more: it stops.
  void StopNamingSelf() HANGAR_EXCLUDES(mutex_);

  /// In rendezvous order of the living; this server alone when no other lives.
  std::vector<std::string> LocationsOf(std::string_view key) const override HANGAR_EXCLUDES(mutex_);

  /// Counts peers by what they are, for whoever looks. This has to outlive the questions.
  void ShowIn(Metrics* metrics);

 private:
  struct State {
    bool is_self = false;
    bool is_known = false;  // It was asked, and answered or not.
    int failures = 0;       // In a row.
    PeerHealth health = PeerHealth::kUnreachable;
  };
  using Living = std::shared_ptr<const std::vector<std::string>>;

  void FindLiving() HANGAR_REQUIRES(mutex_);
  size_t Count(PeerHealth health) const HANGAR_EXCLUDES(mutex_);

  const std::shared_ptr<Logger> logger_;
  mutable Mutex mutex_;
  std::map<std::string, State> peers_ HANGAR_GUARDED_BY(mutex_);  // By URI.
  bool names_self_ HANGAR_GUARDED_BY(mutex_) = true;
  Living living_ HANGAR_GUARDED_BY(mutex_) = std::make_shared<const std::vector<std::string>>();
};

}  // namespace hangar
