#pragma once

#include <optional>
#include <string>

namespace hangar {

/// A process that listens on a port.
struct PortHolder {
  int process = 0;
  std::string program;  ///< Its name, as 'ps' shows it.
};

/// Who listens on a TCP port of this machine, from /proc/net/tcp and the open files of the
/// processes; nullopt where nobody does or this user may not see it.
std::optional<PortHolder> FindPortHolder(int port);

}  // namespace hangar
