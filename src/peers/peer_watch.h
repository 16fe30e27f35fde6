#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arrow/result.h>

#include "access/tls_files.h"
#include "base/log.h"
#include "peers/health_probes.h"
#include "peers/living_peers.h"
#include "peers/peer_source.h"

namespace hangar {

struct PeerWatchOptions {
  std::vector<std::string> peers;  ///< As MakePeerSource takes them.
  std::string self;                ///< This server's own address.
  std::string authorities;  ///< PEM file of those whose certificates count; empty: the system's.
  /// Shown to peers who ask for a certificate; nullptr: none is.
  std::shared_ptr<TlsFiles> own_certificate;
  std::chrono::milliseconds interval{1'000};  ///< From one question to a peer to the next one.
  std::chrono::milliseconds timeout{1'000};   ///< For an answer.
};

/// Finds out, again and again, which of the servers of the same datasets live. One thread asks all
/// of them, this server excepted. A peer that dies is left out within two questions and their
/// answers' time, which is 3 s.
class PeerWatch {
 public:
  /// Begins. Errors are those of MakePeerSource, of `self` and of the file of authorities. The
  /// metrics have to stop asking before this goes; nullptr: nobody looks.
  static arrow::Result<std::unique_ptr<PeerWatch>> Start(const PeerWatchOptions& options,
                                                         std::shared_ptr<Logger> logger,
                                                         Metrics* metrics);
  ~PeerWatch();

  /// Who lives, and what each of them gives.
  const std::shared_ptr<LivingPeers>& living() const { return living_; }

 private:
  PeerWatch(const PeerWatchOptions& options, std::unique_ptr<PeerSource> source,
            std::function<PeerTls()> tls, std::shared_ptr<Logger> logger);
  void Run();

  const std::chrono::milliseconds interval_;
  const std::chrono::milliseconds timeout_;
  const std::unique_ptr<PeerSource> source_;
  const std::function<PeerTls()> tls_;
  const std::shared_ptr<LivingPeers> living_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;  // The last, as it uses the others.
};

}  // namespace hangar
