#include "config/process_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string_view>

namespace hangar {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// A file that holds one number; "max", or anything else, is no limit.
int64_t LimitIn(const std::string& path) {
  std::ifstream file(path);
  int64_t limit = 0;
  return file >> limit && limit > 0 ? limit : kNoLimit;
}

// The path of this process's group in the hierarchy of version 2; "" where there is none.
std::string OwnControlGroup() {
  constexpr std::string_view kVersion2 = "0::";
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kVersion2)) return line.substr(kVersion2.size());
  }
  return "";
}

}  // namespace

int64_t ControlGroupLimit(const std::string& root, const std::string& group) {
  int64_t limit = kNoLimit;
  for (std::string path = group;; path.resize(path.rfind('/'))) {
    limit = std::min(limit, LimitIn(root + path + "/memory.max"));
    if (!path.contains('/')) return limit;
  }
}

int64_t ProcessMemoryBytes() {
  const int64_t machine = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  // A container sees its own group of version 1 at the mount's root.
  const int64_t version1 = LimitIn("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  return std::min({machine, version1, ControlGroupLimit("/sys/fs/cgroup", OwnControlGroup())});
}

int64_t BytesOf(const MemoryAmount& amount) {
  if (amount.percent == 0) return amount.bytes;
  return ProcessMemoryBytes() / 100 * amount.percent;
}

}  // namespace hangar
