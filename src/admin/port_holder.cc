#include "admin/port_holder.h"

#include <charconv>
#include <filesystem>
#include <format>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

namespace hangar {
namespace {

namespace fs = std::filesystem;

// The state "listening" in /proc/net/tcp, see proc_pid_net(5).
constexpr std::string_view kListening = "0A";

// The inodes of the sockets that listen on the port, of one of the two tables.
void ReadListeners(const char* table, int port, std::set<std::string>& inodes) {
  const std::string wanted = std::format(":{:04X}", port);
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // The heading.
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
        timeout >> inode;
    if (fields && state == kListening && local.ends_with(wanted)) inodes.insert(inode);
  }
}

bool HoldsOneOf(const fs::path& process, const std::set<std::string>& inodes) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry->path(), gone);
    constexpr std::string_view kPrefix = "socket:[";
    if (!target.starts_with(kPrefix)) continue;
    if (inodes.contains(target.substr(kPrefix.size(), target.size() - kPrefix.size() - 1))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<PortHolder> FindPortHolder(int port) {
  std::set<std::string> inodes;
  ReadListeners("/proc/net/tcp", port, inodes);
  ReadListeners("/proc/net/tcp6", port, inodes);
  if (inodes.empty()) return std::nullopt;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    int process = 0;
    const auto [stop, wrong] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (wrong != std::errc() || stop != name.data() + name.size()) continue;
    if (!HoldsOneOf(entry->path(), inodes)) continue;
    PortHolder holder{.process = process, .program = {}};
    std::ifstream comm(entry->path() / "comm");
    std::getline(comm, holder.program);
    return holder;
  }
  return std::nullopt;
}

}  // namespace hangar
