#pragma once

#include <memory>

#include "base/flight_address.h"
#include "base/log.h"
#include "peers/peer_source.h"

namespace hangar {

/// The peers at all addresses of a name, at the port and with the encryption that `name` says. A
/// thread resolves it, at once and then every few seconds; while it cannot be resolved the last
/// answer stays. The peer whose address is one of those that the host of `self` has, at the port of
/// `self`, is this server: under the name that all servers know it by, so that all agree on who is
/// to give what. The destructor waits for the resolver, where that is at work.
std::unique_ptr<PeerSource> ResolvedPeers(const FlightAddress& name, const FlightAddress& self,
                                          std::shared_ptr<Logger> logger);

}  // namespace hangar
