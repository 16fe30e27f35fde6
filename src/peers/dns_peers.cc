#include "peers/dns_peers.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arrow/result.h>

#include "base/error.h"
#include "base/mutex.h"
#include "base/network_address.h"

namespace hangar {
namespace {

constexpr std::chrono::seconds kResolveInterval{5};

// All addresses of a host, as texts, once each. UNAVAILABLE with the resolver's reason.
arrow::Result<std::set<std::string>> Resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found)) {
    return MakeError(ErrorKind::kUnavailable, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> held(found, ::freeaddrinfo);
  std::set<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    addresses.insert(AddressText(*one->ai_addr));
  }
  return addresses;
}

class DnsPeers final : public PeerSource {
 public:
  DnsPeers(FlightAddress name, FlightAddress self, std::shared_ptr<Logger> logger)
      : name_(std::move(name)), self_(std::move(self)), logger_(std::move(logger)) {
    thread_ = std::thread([this] { Run(); });
  }

  ~DnsPeers() override {
    {
      const MutexLock lock(mutex_);
      is_stopping_ = true;
    }
    stopping_.NotifyAll();
    thread_.join();
  }

  std::vector<Peer> Current() override {
    const MutexLock lock(mutex_);
    return peers_;
  }

 private:
  void Run() HANGAR_EXCLUDES(mutex_) {
    bool has_failed = false;
    do {
      auto peers = FindPeers();
      const bool failed = !peers.ok();
      if (failed && !has_failed) {
        logger_->Warning("the name of the peers cannot be resolved; those known before stay",
                         {{"name", name_.where.host}, {"reason", peers.status().message()}});
      } else if (has_failed && !failed) {
        logger_->Info("the name of the peers can be resolved again", {{"name", name_.where.host}});
      }
      has_failed = failed;
      if (!failed) {
        const MutexLock lock(mutex_);
        peers_ = *std::move(peers);
      }
    } while (WaitForNext());
  }

  // False when it is to end.
  bool WaitForNext() HANGAR_EXCLUDES(mutex_) {
    const auto due = std::chrono::steady_clock::now() + kResolveInterval;
    const MutexLock lock(mutex_);
    while (!is_stopping_) {
      if (!stopping_.WaitUntil(mutex_, due)) break;
    }
    return !is_stopping_;
  }

  arrow::Result<std::vector<Peer>> FindPeers() const {
    ARROW_ASSIGN_OR_RAISE(const auto hosts, Resolve(name_.where.host));
    // A name that means nothing here is that of no peer.
    const auto own = Resolve(self_.where.host).ValueOr({});
    std::vector<Peer> peers;
    for (const std::string& host : hosts) {
      peers.push_back(
          {.address = {.where = {.host = host, .port = name_.where.port}, .is_tls = name_.is_tls},
           .is_self = self_.where.port == name_.where.port && own.contains(host)});
    }
    return peers;
  }

  const FlightAddress name_;
  const FlightAddress self_;
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  CondVar stopping_;
  std::vector<Peer> peers_ HANGAR_GUARDED_BY(mutex_);
  bool is_stopping_ HANGAR_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // The last, as it uses the others.
};

}  // namespace

std::unique_ptr<PeerSource> ResolvedPeers(const FlightAddress& name, const FlightAddress& self,
                                          std::shared_ptr<Logger> logger) {
  return std::make_unique<DnsPeers>(name, self, std::move(logger));
}

}  // namespace hangar
