#include "metrics/process_metrics.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "metrics/metrics.h"

namespace hangar {
namespace {

// The fields of /proc/self/stat that stand behind the program's name, numbered as in proc(5).
constexpr int kFirstFieldBehindName = 3;
constexpr int kThreadsField = 20;
constexpr int kStartTicksField = 22;
constexpr int kVirtualBytesField = 23;
constexpr int kResidentPagesField = 24;

double StatField(int number) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The name stands in parentheses and may hold anything.
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int i = kFirstFieldBehindName; i <= number; ++i) {
    if (!(fields >> field)) return 0;
  }
  std::istringstream digits(field);
  double value = 0;
  digits >> value;
  return value;
}

double CpuSeconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Asks about each open descriptor how many there are of it. Other threads open and close some
// meanwhile.
double CountDescriptors(const std::function<bool(int descriptor)>& counts) {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    if (counts(descriptor)) ++count;
  }
  return count;
}

double OpenFileCount() {
  // Of those that are listed one is open only for the listing.
  return std::max(CountDescriptors([](int) { return true; }) - 1, 0.0);
}

// Of the socket's own side: the port, or the path of a Unix socket; empty where it is neither, or
// where nobody is at the other side.
std::string LocalEndOf(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "";
  address = {};
  length = sizeof(address);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "";
  if (address.ss_family == AF_INET) {
    return std::to_string(ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port));
  }
  if (address.ss_family == AF_INET6) {
    return std::to_string(ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port));
  }
  if (address.ss_family != AF_UNIX) return "";
  return reinterpret_cast<const sockaddr_un&>(address).sun_path;
}

std::string LocalEndOf(std::string_view uri) {
  constexpr std::string_view kUnix = "unix:";
  if (const size_t unix = uri.find(kUnix); unix != std::string_view::npos) {
    const std::string_view path = uri.substr(unix + kUnix.size());
    return std::string(path.starts_with("//") ? path.substr(2) : path);
  }
  return std::string(uri.substr(uri.rfind(':') + 1));
}

double FileLimit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

// When the machine started, in seconds since the epoch.
double BootSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

double StartSeconds() {
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return BootSeconds() + StatField(kStartTicksField) / ticks_per_second;
}

}  // namespace

void AddProcessMetrics(Metrics* metrics) {
  metrics->AskCounter("process_cpu_seconds_total", "Time of processors, of the user and system.",
                      {}, CpuSeconds);
  metrics->AskGauge("process_open_fds", "Open file descriptors.", {}, OpenFileCount);
  metrics->AskGauge("process_max_fds", "File descriptors that may be open.", {}, FileLimit);
  metrics->AskGauge("process_virtual_memory_bytes", "Address space.", {},
                    [] { return StatField(kVirtualBytesField); });
  metrics->AskGauge("process_resident_memory_bytes", "Memory that is in RAM.", {},
                    [page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE))] {
                      return StatField(kResidentPagesField) * page_bytes;
                    });
  metrics->AskGauge("process_threads", "Threads.", {}, [] { return StatField(kThreadsField); });
  // It does not change; asked again, it would move with each correction of the machine's clock.
  metrics->AskGauge("process_start_time_seconds", "When it started, since the Unix epoch.", {},
                    [start = StartSeconds()] { return start; });
}

void AddConnections(Metrics* metrics, const std::string& door, const std::string& uri) {
  metrics->AskGauge(
      "hangar_connections", "Connections that clients hold.", {{"door", door}},
      [end = LocalEndOf(std::string_view(uri))] {
        return CountDescriptors([&](int descriptor) { return LocalEndOf(descriptor) == end; });
      });
}

void AddBuildInfo(Metrics* metrics, const BuildInfo& info) {
  metrics->AskGauge("hangar_build_info", "What the program is made of.",
                    {{"version", info.version},
                     {"arrow", info.arrow},
                     {"grpc", info.grpc},
                     {"compiler", info.compiler}},
                    [] { return 1; });
}

}  // namespace hangar
