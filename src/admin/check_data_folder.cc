#include "admin/check_data_folder.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <format>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/unique_descriptor.h"

namespace hangar {
namespace {

namespace fs = std::filesystem;

constexpr char kCheck[] = "data";

// Runs the steps of an upload, as store/local_store does them, with a file of its own.
class UploadRehearsal {
 public:
  UploadRehearsal(const fs::path& data, const fs::path& staging)
      : staged_(staging / std::format(".hangar-doctor-{}", ::getpid())),
        published_(data / std::format(".hangar-doctor-{}", ::getpid())),
        linked_(published_.string() + "-link"),
        data_(data) {}
  ~UploadRehearsal() {
    for (const fs::path* path : {&staged_, &published_, &linked_}) ::unlink(path->c_str());
  }
  UploadRehearsal(const UploadRehearsal&) = delete;
  UploadRehearsal& operator=(const UploadRehearsal&) = delete;

  // The first step that fails, "" when all work; errno says why.
  std::string_view FirstFailure() {
    file_ =
        UniqueDescriptor(::open(staged_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (!file_.is_open()) return "a file cannot be made in it";
    if (::write(file_.get(), "PAR1", 4) != 4) return "a file in it cannot be written";
    if (::fsync(file_.get()) != 0) return "a file in it cannot be made durable";
    if (::rename(staged_.c_str(), published_.c_str()) != 0) {
      return "a file cannot be moved from staging to its name";
    }
    const UniqueDescriptor folder(::open(data_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const bool is_durable = folder.is_open() && ::fsync(folder.get()) == 0;
    return is_durable ? "" : "the folder itself cannot be made durable";
  }

  // Whether what is replaced can be kept; without it everything else works.
  bool CanLink() { return ::link(published_.c_str(), linked_.c_str()) == 0; }

 private:
  const fs::path staged_;
  const fs::path published_;
  const fs::path linked_;
  const fs::path data_;
  UniqueDescriptor file_;
};

void CheckOwner(const std::string& data, const struct stat& info, Findings& findings) {
  if ((info.st_mode & S_IWOTH) != 0) {
    findings.Warning(kCheck, std::format("everybody on this machine may change {}", Quoted(data)),
                     std::format("chmod o-w {}", Quoted(data)));
  }
  if (::geteuid() == 0 && info.st_uid != 0) {
    findings.Warning(kCheck,
                     std::format("{} belongs to user {}, and what root may do says nothing of what "
                                 "that user may",
                                 Quoted(data), info.st_uid),
                     std::format("run this as the server's user: setpriv --reuid={} --regid={} "
                                 "--clear-groups hangar doctor ...",
                                 info.st_uid, info.st_gid));
  }
}

void CheckUpload(const std::string& data, Findings& findings) {
  // A server makes staging when it starts; before that the folder itself stands for it.
  const fs::path own_staging = fs::path(data) / "_hangar" / "staging";
  std::error_code error;
  const fs::path staging = fs::is_directory(own_staging, error) ? own_staging : fs::path(data);
  UploadRehearsal rehearsal(data, staging);
  if (const std::string_view failure = rehearsal.FirstFailure(); !failure.empty()) {
    const int why = errno;
    findings.Problem(kCheck, std::format("{}: {}: {}", Quoted(data), failure, std::strerror(why)),
                     why == EXDEV ? "have the folder and _hangar in it on one file system"
                                  : "let the server's user own the folder and all in it, on a "
                                    "file system that is not read-only or full");
    return;
  }
  if (!rehearsal.CanLink()) {
    findings.Warning(kCheck, "the file system has no hard links: what is replaced is not kept",
                     "use another file system if past versions are wanted");
  }
  findings.Ok(kCheck, std::format("{}: files can be made, made durable, and moved", Quoted(data)));
}

struct KnownFileSystem {
  int64_t magic;
  std::string_view name;
  std::string_view remark;
  std::string_view advice;
};

constexpr std::string_view kOverNetwork = "its promises of durability and locking are the server's";
constexpr std::string_view kUseLocal =
    "use a local file system where uploads must never be lost and one server must not disturb "
    "another";
constexpr std::string_view kVanishes = "what is put is gone with the next restart";

// From linux/magic.h, and for the last three from fs/fuse, fs/smb and fs/ceph of Linux.
constexpr std::array<KnownFileSystem, 9> kFileSystems = {{
    {NFS_SUPER_MAGIC, "NFS", kOverNetwork, kUseLocal},
    {SMB_SUPER_MAGIC, "SMB", kOverNetwork, kUseLocal},
    {V9FS_MAGIC, "9p", kOverNetwork, kUseLocal},
    {AFS_SUPER_MAGIC, "AFS", kOverNetwork, kUseLocal},
    {0xff534d42, "CIFS", kOverNetwork, kUseLocal},
    {0x00c36400, "Ceph", kOverNetwork, kUseLocal},
    {0x65735546, "FUSE", "what it promises is its program's", kUseLocal},
    {TMPFS_MAGIC, "tmpfs", kVanishes, "use a folder on a disk"},
    {OVERLAYFS_SUPER_MAGIC, "a container's own layer", "what is put is gone with the container",
     "mount a volume there"},
}};

void CheckFileSystem(const std::string& data, Findings& findings) {
  struct statfs info{};
  if (::statfs(data.c_str(), &info) != 0) return;
  for (const KnownFileSystem& known : kFileSystems) {
    if (static_cast<int64_t>(info.f_type) != known.magic) continue;
    findings.Warning("file_system",
                     std::format("{} is on {}: {}", Quoted(data), known.name, known.remark),
                     std::string(known.advice));
    return;
  }
  findings.Ok("file_system", std::format("{} is on a local one", Quoted(data)));
}

void CheckSpace(const std::string& data, Findings& findings) {
  // Room for one upload of a usual size, below which little works; and what deserves a look.
  constexpr int64_t kProblemBytes = 256LL << 20;
  constexpr int64_t kWarningPercent = 10;
  constexpr int64_t kWarningInodes = 10'000;
  struct statvfs info{};
  if (::statvfs(data.c_str(), &info) != 0) return;
  const int64_t free = static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
  const int64_t all = static_cast<int64_t>(info.f_blocks) * static_cast<int64_t>(info.f_frsize);
  const int64_t percent = all > 0 ? free / (all / 100 + 1) : 0;
  const std::string text = std::format("{} MiB are free, {} %", free >> 20, percent);
  if (free < kProblemBytes) {
    findings.Problem("space", text, "make room: uploads are refused when the disk is full");
  } else if (percent < kWarningPercent) {
    findings.Warning("space", text,
                     "make room, or keep less of the past with history_bytes and keep_for");
  } else {
    findings.Ok("space", text);
  }
  // File systems without a table of inodes say 0 of both.
  if (info.f_files > 0 && static_cast<int64_t>(info.f_favail) < kWarningInodes) {
    findings.Warning("space", std::format("{} more files can be made", info.f_favail),
                     "remove files, or make the file system anew with more inodes");
  }
}

// The folder itself, or what of the way to it is there already.
std::string NearestFolder(const std::string& data) {
  std::error_code error;
  fs::path folder = fs::absolute(data, error).lexically_normal();
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

}  // namespace

void CheckDataFolder(const std::string& data, Findings& findings) {
  struct stat info{};
  const std::string nearest = NearestFolder(data);
  if (::stat(data.c_str(), &info) != 0) {
    if (errno == ENOENT && ::access(nearest.c_str(), W_OK | X_OK) == 0) {
      findings.Ok(kCheck, std::format("{} is not there yet; the server makes it", Quoted(data)));
    } else {
      findings.Problem(kCheck,
                       std::format("{} cannot be opened: {}", Quoted(data), std::strerror(errno)),
                       "make the folder, and let the server's user own it");
    }
  } else if (!S_ISDIR(info.st_mode)) {
    findings.Problem(kCheck, std::format("{} is no folder", Quoted(data)),
                     "choose a folder with data");
    return;
  } else {
    CheckOwner(data, info, findings);
    CheckUpload(data, findings);
  }
  CheckFileSystem(nearest, findings);
  CheckSpace(nearest, findings);
}

}  // namespace hangar
