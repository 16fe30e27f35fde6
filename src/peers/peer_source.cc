#include "peers/peer_source.h"

#include <algorithm>
#include <utility>

#include "access/reloaded_file.h"
#include "base/error.h"
#include "base/text.h"
#include "peers/dns_peers.h"

namespace hangar {
namespace {

using Addresses = std::vector<FlightAddress>;

class Listed final : public PeerSource {
 public:
  explicit Listed(FlightAddress address) : address_(std::move(address)) {}
  std::vector<Peer> Current() override { return {{.address = address_}}; }

 private:
  const FlightAddress address_;
};

class InFile final : public PeerSource {
 public:
  explicit InFile(std::unique_ptr<ReloadedFile<Addresses>> file) : file_(std::move(file)) {}

  std::vector<Peer> Current() override {
    std::vector<Peer> peers;
    for (const FlightAddress& address : *file_->Current()) peers.push_back({.address = address});
    return peers;
  }

 private:
  const std::unique_ptr<ReloadedFile<Addresses>> file_;
};

class Together final : public PeerSource {
 public:
  Together(std::vector<std::unique_ptr<PeerSource>> sources, FlightAddress self)
      : sources_(std::move(sources)), self_(std::move(self)) {}

  std::vector<Peer> Current() override {
    std::vector<Peer> peers;
    bool has_self = false;
    for (const auto& source : sources_) {
      for (Peer& peer : source->Current()) {
        if (std::ranges::find(peers, peer.address, &Peer::address) != peers.end()) continue;
        peer.is_self |= peer.address == self_;
        has_self |= peer.is_self;
        peers.push_back(std::move(peer));
      }
    }
    if (!has_self) peers.push_back({.address = self_, .is_self = true});
    return peers;
  }

 private:
  const std::vector<std::unique_ptr<PeerSource>> sources_;
  const FlightAddress self_;
};

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  text = text.substr(0, text.find('#'));
  text = text.substr(0, text.find_last_not_of(kBlanks) + 1);
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

}  // namespace

arrow::Result<Addresses> ParsePeerFile(std::string_view text, const std::string& path) {
  Addresses addresses;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    auto address = ParseFlightAddress(line);
    if (!address.ok()) {
      return Error(ErrorKind::kInvalidArgument, "{}, line {}: {}", Quoted(path), number,
                   address.status().message());
    }
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

arrow::Result<std::unique_ptr<PeerSource>> MakePeerSource(const std::vector<std::string>& settings,
                                                          const FlightAddress& self,
                                                          std::shared_ptr<Logger> logger) {
  std::vector<std::unique_ptr<PeerSource>> sources;
  for (const std::string& text : settings) {
    ARROW_ASSIGN_OR_RAISE(const PeerSetting setting, ParsePeerSetting(text));
    switch (setting.kind) {
      case PeerSetting::Kind::kAddress:
        sources.push_back(std::make_unique<Listed>(setting.address));
        break;
      case PeerSetting::Kind::kFile: {
        ARROW_ASSIGN_OR_RAISE(auto file,
                              ReloadedFile<Addresses>::Make(setting.path, ParsePeerFile, logger));
        sources.push_back(std::make_unique<InFile>(std::move(file)));
        break;
      }
      case PeerSetting::Kind::kDns:
        sources.push_back(ResolvedPeers(setting.address, self, logger));
        break;
    }
  }
  return std::make_unique<Together>(std::move(sources), self);
}

}  // namespace hangar
