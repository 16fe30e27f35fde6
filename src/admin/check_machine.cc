#include "admin/check_machine.h"

#include <sys/resource.h>
#include <sys/timex.h>

#include <cstdint>
#include <ctime>
#include <format>

#include "config/process_memory.h"

namespace hangar {
namespace {

void CheckClock(Findings& findings) {
  // 2026-01-01: a clock that is behind this program's own year has lost its battery.
  constexpr std::time_t kEarliest = 1'767'225'600;
  const std::time_t now = std::time(nullptr);
  if (now < kEarliest) {
    findings.Problem("clock", "it stands in the past",
                     "set it: certificates, tokens and tickets are judged by it");
    return;
  }
  timex state{};
  // Reads only, as `modes` is 0. A container may forbid even that.
  if (::adjtimex(&state) < 0) {
    findings.Ok("clock", "it is plausible; whether it is kept right cannot be seen from here");
  } else if ((state.status & STA_UNSYNC) != 0) {
    findings.Warning("clock", "nothing keeps it right",
                     "run chrony or systemd-timesyncd: certificates, tokens and tickets are judged "
                     "by it");
  } else {
    findings.Ok("clock", "it is kept right");
  }
}

void CheckMemory(const ServeOptions& options, Findings& findings) {
  const int64_t available = ProcessMemoryBytes();
  const int64_t limit = BytesOf(options.memory_limit);
  const std::string text = std::format("memory_limit is {} MiB of the {} MiB that there are",
                                       limit >> 20, available >> 20);
  if (limit > available) {
    findings.Problem("memory", text, "lower it, or give the machine or the container more");
  } else if (limit > available / 5 * 4) {
    // docs/storage.md says "a quarter more".
    findings.Warning("memory", text,
                     "leave a quarter more than the limit for what it does not count");
  } else {
    findings.Ok("memory", text);
  }
}

void CheckOpenFiles(const ServeOptions& options, Findings& findings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  // A stream may hold a connection and a file; what the program itself holds is little.
  constexpr int64_t kOwn = 256;
  const int64_t needed = 2 * options.limits.streams + kOwn +
                         (options.http.listen.empty() ? 0 : 2 * options.http.connections);
  const bool is_enough =
      limit.rlim_max == RLIM_INFINITY || static_cast<int64_t>(limit.rlim_max) >= needed;
  if (is_enough) {
    findings.Ok("open_files", std::format("enough for max_streams, which may need {}", needed));
  } else {
    findings.Warning(
        "open_files",
        std::format("{} are allowed, and max_streams may need {}", limit.rlim_max, needed),
        "raise LimitNOFILE of the service (ulimit -Hn), or lower max_streams");
  }
}

void CheckFileSize(const ServeOptions& options, Findings& findings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  if (static_cast<int64_t>(limit.rlim_cur) >= options.limits.upload_bytes) return;
  findings.Warning("file_size",
                   std::format("files may have {} MiB, less than max_upload_bytes",
                               static_cast<int64_t>(limit.rlim_cur) >> 20),
                   "raise LimitFSIZE of the service (ulimit -f), or lower max_upload_bytes");
}

}  // namespace

void CheckMachine(const ServeOptions& options, Findings& findings) {
  CheckClock(findings);
  CheckMemory(options, findings);
  CheckOpenFiles(options, findings);
  CheckFileSize(options, findings);
}

}  // namespace hangar
