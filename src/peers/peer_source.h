#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "base/flight_address.h"
#include "base/log.h"
#include "peers/living_peers.h"

namespace hangar {

/// Where it stands which servers there are. Thread-safe.
class PeerSource {
 public:
  virtual ~PeerSource() = default;

  /// The peers as they were last found out, without waiting for anything but a small file.
  virtual std::vector<Peer> Current() = 0;
};

/// The addresses in a file's text: one in each line, without what follows a '#'. INVALID_ARGUMENT
/// naming the file and the first line that is wrong.
arrow::Result<std::vector<FlightAddress>> ParsePeerFile(std::string_view text,
                                                        const std::string& path);

/// What the settings of a list, as ParsePeerSetting takes them, say together: each peer once, this
/// server, which is reached at `self`, among them whether it is listed or not. Files are read again
/// when they change, and names resolved again every few seconds; what cannot be used is said in the
/// log, once, and what was known before stays. INVALID_ARGUMENT for a setting or a file that is
/// wrong, FAILED_PRECONDITION for a file that cannot be read; a name that cannot be resolved yet is
/// no error.
arrow::Result<std::unique_ptr<PeerSource>> MakePeerSource(const std::vector<std::string>& settings,
                                                          const FlightAddress& self,
                                                          std::shared_ptr<Logger> logger);

}  // namespace hangar
