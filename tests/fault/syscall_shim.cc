// A library to be preloaded (LD_PRELOAD) into `hangar serve`. It stands between the program and
// libc for every call that touches the data folder: it counts them, lets chosen ones fail, come
// short or be the last thing that the process does, and writes down those that change something.
//
// Its environment:
//   SHIM_DATA     the data folder, absolute and without links; other files are left alone
//   SHIM_CONTROL  a file that it maps: the `Control` below, which syscall_shim.py reads and writes
//   SHIM_LOG      a file that it appends a `Record` to for each change, while `recording` is set
//
// A descriptor counts as the data folder's from the call that opened it, through a path or below
// another such descriptor, to the one that closes it.

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

namespace {

// In the order of KINDS in syscall_shim.py.
enum class Kind : uint32_t {
  kOpen,
  kCreate,  // An open that may make or empty a file.
  kRead,
  kWrite,
  kSync,
  kSyncAll,
  kStartSync,
  kClose,
  kRename,
  kLink,
  kUnlink,
  kRemoveFolder,
  kMakeFolder,
  kSetTimes,
  kLock,
  kStat,
  kReadFolder,
  kCount,
};

// In the order of DEEDS in syscall_shim.py.
enum class Deed : uint64_t { kFail, kShorten, kKillBefore, kKillAfter };

// In the order of FIELDS in syscall_shim.py. Set while `armed` is 0, save the counters.
struct Control {
  std::atomic<uint64_t> armed;
  std::atomic<uint64_t> kinds;  // A bit for each kind of call that the deed may be done to.
  std::atomic<uint64_t> nth;    // Which of these calls is the first, from 1.
  std::atomic<uint64_t> times;  // How many of them, from there on.
  std::atomic<uint64_t> deed;
  std::atomic<uint64_t> error;  // For kFail: the errno.
  std::atomic<uint64_t> recording;
  std::atomic<uint64_t> matched;      // Calls of those kinds since it was armed.
  std::atomic<uint64_t> fired;        // To how many of them the deed was done,
  std::atomic<uint64_t> fired_kinds;  // and of which kinds these were.
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Kind::kCount)> calls;
};

// Followed by the bytes of `path`, `other_path` and `data`. What a call has no use for is 0.
struct Record {
  uint32_t kind = 0;
  int32_t error = 0;
  uint64_t inode = 0;
  int64_t offset = 0;  // Of kWrite; of kSetTimes the seconds.
  int64_t length = 0;  // Of kSetTimes the nanoseconds.
  uint32_t path_size = 0;
  uint32_t other_path_size = 0;
  uint64_t data_size = 0;
};

constexpr int kDescriptorsMax = 1 << 16;

/// What the environment gave, from before the first call on and never destroyed.
struct Shim {
  std::string data;
  Control* control = nullptr;
  int log = -1;
  std::array<std::atomic<bool>, kDescriptorsMax> inside{};
  // Held during each change, so that the log has them in their order.
  std::mutex order;
};

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The function of libc that the one of the same name here stands before.
#define NEXT(name)                                           \
  ([] {                                                      \
    static auto* const next = Next<decltype(::name)>(#name); \
    return next;                                             \
  }())

[[noreturn]] void Die(const char* reason) {
  std::fprintf(stderr, "syscall shim: %s\n", reason);
  std::abort();
}

Shim* MakeShim() {
  const char* const data = std::getenv("SHIM_DATA");
  const char* const control = std::getenv("SHIM_CONTROL");
  const char* const log = std::getenv("SHIM_LOG");
  if (data == nullptr || control == nullptr || log == nullptr) Die("its environment is not set");
  auto* const shim = new Shim;
  shim->data = data;
  const int fd = NEXT(open)(control, O_RDWR | O_CLOEXEC);
  if (fd < 0) Die("its control file cannot be opened");
  void* const mapped = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) Die("its control file cannot be mapped");
  NEXT(close)(fd);
  shim->control = static_cast<Control*>(mapped);
  shim->log = NEXT(open)(log, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (shim->log < 0) Die("its log cannot be opened");
  return shim;
}

Shim& TheShim() {
  static Shim* const shim = MakeShim();
  return *shim;
}

void SetInside(int fd, bool inside) {
  if (fd >= 0 && fd < kDescriptorsMax) TheShim().inside[fd].store(inside);
}

bool IsInside(int fd) { return fd >= 0 && fd < kDescriptorsMax && TheShim().inside[fd].load(); }

bool IsInside(int folder, const char* path) {
  if (path == nullptr || path[0] != '/') return IsInside(folder);
  const std::string& data = TheShim().data;
  const std::string_view whole = path;
  return whole.starts_with(data) && (whole.size() == data.size() || whole[data.size()] == '/');
}

std::string PathOf(int fd) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<size_t>(size));
}

std::string PathOf(int folder, const char* path) {
  return path[0] == '/' ? std::string(path) : PathOf(folder) + "/" + path;
}

uint64_t InodeOf(int fd) {
  struct stat state{};
  return ::fstat(fd, &state) == 0 ? state.st_ino : 0;
}

uint64_t InodeOf(int folder, const char* path) {
  struct stat state{};
  return ::fstatat(folder, path, &state, AT_SYMLINK_NOFOLLOW) == 0 ? state.st_ino : 0;
}

bool ChangesSomething(Kind kind) {
  switch (kind) {
    case Kind::kCreate:
    case Kind::kWrite:
    case Kind::kSync:
    case Kind::kSyncAll:
    case Kind::kRename:
    case Kind::kLink:
    case Kind::kUnlink:
    case Kind::kRemoveFolder:
    case Kind::kMakeFolder:
    case Kind::kSetTimes:
      return true;
    default:
      return false;
  }
}

/// One call to the data folder, from its beginning to its end.
class Call {
 public:
  explicit Call(Kind kind) : kind_(kind), control_(*TheShim().control) {
    if (ChangesSomething(kind)) order_ = std::unique_lock(TheShim().order);
    if (control_.armed.load() != 0) Decide();
    if (is_chosen_ && deed_ == Deed::kKillBefore) Kill();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    if (is_chosen_ && deed_ == Deed::kKillAfter) Kill();
  }

  /// Whether the call is to fail; errno is set then.
  bool Fails() const {
    if (!is_chosen_ || deed_ != Deed::kFail) return false;
    errno = static_cast<int>(control_.error.load());
    return true;
  }

  size_t Shorten(size_t length) const {
    return is_chosen_ && deed_ == Deed::kShorten ? (length + 1) / 2 : length;
  }

  bool is_recorded() const { return control_.recording.load() != 0; }

  /// Writes the record of a call that gave `result`, if records are wanted. Leaves errno alone.
  void Write(int64_t result, Record record, const std::string& path = {},
             const std::string& other_path = {}, std::string_view data = {}) const {
    if (!is_recorded()) return;
    const int error = errno;
    record.kind = static_cast<uint32_t>(kind_);
    record.error = result < 0 ? error : 0;
    record.path_size = static_cast<uint32_t>(path.size());
    record.other_path_size = static_cast<uint32_t>(other_path.size());
    record.data_size = data.size();
    std::string bytes(reinterpret_cast<const char*>(&record), sizeof(record));
    bytes.append(path).append(other_path).append(data);
    if (NEXT(write)(TheShim().log, bytes.data(), bytes.size()) !=
        static_cast<ssize_t>(bytes.size())) {
      Die("its log cannot be written");
    }
    errno = error;
  }

 private:
  void Decide() {
    const uint64_t bit = uint64_t{1} << static_cast<uint32_t>(kind_);
    control_.calls[static_cast<size_t>(kind_)].fetch_add(1);
    if ((control_.kinds.load() & bit) == 0) return;
    const uint64_t number = control_.matched.fetch_add(1) + 1;
    const uint64_t first = control_.nth.load();
    is_chosen_ = number >= first && number - first < control_.times.load();
    if (!is_chosen_) return;
    deed_ = static_cast<Deed>(control_.deed.load());
    control_.fired.fetch_add(1);
    control_.fired_kinds.fetch_or(bit);
  }

  [[noreturn]] static void Kill() {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }

  const Kind kind_;
  Control& control_;
  std::unique_lock<std::mutex> order_;
  bool is_chosen_ = false;
  Deed deed_ = Deed::kFail;
};

// Any of the calls that open something. `open` gives a descriptor or -1.
template <typename Open>
int Opened(int folder, const char* path, uint64_t flags, Open open) {
  if (!IsInside(folder, path)) return open();
  const Call call((flags & (O_CREAT | O_TRUNC)) != 0 ? Kind::kCreate : Kind::kOpen);
  const int fd = call.Fails() ? -1 : open();
  SetInside(fd, true);
  if ((flags & (O_CREAT | O_TRUNC)) != 0 && call.is_recorded()) {
    const int error = errno;
    const std::string full_path = PathOf(folder, path);
    const uint64_t inode = fd < 0 ? 0 : InodeOf(fd);
    errno = error;
    call.Write(fd, {.inode = inode}, full_path);
  }
  return fd;
}

int OpenAt2(int folder, const char* path, open_how* how, size_t size) {
  return Opened(folder, path, how->flags, [&] {
    return static_cast<int>(NEXT(syscall)(SYS_openat2, folder, path, how, size));
  });
}

// Any of the calls that remove, make or move names.
template <typename Change>
int Changed(Kind kind, int folder, const char* path, int other_folder, const char* other_path,
            Change change) {
  if (!IsInside(folder, path)) return change();
  const Call call(kind);
  // The folders' names as they are before the change.
  const std::string full_path = call.is_recorded() ? PathOf(folder, path) : "";
  const std::string other_full_path =
      call.is_recorded() && other_path != nullptr ? PathOf(other_folder, other_path) : "";
  const int result = call.Fails() ? -1 : change();
  const int error = errno;
  const bool is_new_folder = kind == Kind::kMakeFolder && result == 0;
  const uint64_t inode = is_new_folder && call.is_recorded() ? InodeOf(folder, path) : 0;
  errno = error;
  call.Write(result, {.inode = inode}, full_path, other_full_path);
  return result;
}

int Synced(Kind kind, int fd, int (*sync)(int)) {
  if (!IsInside(fd)) return sync(fd);
  const Call call(kind);
  const int result = call.Fails() ? -1 : sync(fd);
  if (call.is_recorded()) {
    const int error = errno;
    const Record record{.inode = InodeOf(fd)};
    const std::string path = PathOf(fd);
    errno = error;
    call.Write(result, record, path);
  }
  return result;
}

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

}  // namespace

// Here follow the calls themselves, by libc's names. test_faults.py compares them with what the
// program imports.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Opened(AT_FDCWD, path, static_cast<uint64_t>(flags),
                [&] { return NEXT(open)(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Opened(folder, path, static_cast<uint64_t>(flags),
                [&] { return NEXT(openat)(folder, path, flags, mode); });
}

long syscall(long number, ...) noexcept {
  va_list arguments;
  va_start(arguments, number);
  std::array<long, 6> given{};
  // More than were given are read as whatever stands there, as libc's own does.
  for (long& argument : given) argument = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_openat2) {
    return OpenAt2(static_cast<int>(given[0]), reinterpret_cast<const char*>(given[1]),
                   reinterpret_cast<open_how*>(given[2]), static_cast<size_t>(given[3]));
  }
  return NEXT(syscall)(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

ssize_t read(int fd, void* out, size_t length) {
  if (!IsInside(fd)) return NEXT(read)(fd, out, length);
  const Call call(Kind::kRead);
  return call.Fails() ? -1 : NEXT(read)(fd, out, call.Shorten(length));
}

ssize_t pread(int fd, void* out, size_t length, off_t offset) {
  if (!IsInside(fd)) return NEXT(pread)(fd, out, length, offset);
  const Call call(Kind::kRead);
  return call.Fails() ? -1 : NEXT(pread)(fd, out, call.Shorten(length), offset);
}

ssize_t write(int fd, const void* bytes, size_t length) {
  if (!IsInside(fd)) return NEXT(write)(fd, bytes, length);
  const Call call(Kind::kWrite);
  const off_t offset = ::lseek(fd, 0, SEEK_CUR);
  const ssize_t written = call.Fails() ? -1 : NEXT(write)(fd, bytes, call.Shorten(length));
  const size_t count = static_cast<size_t>(std::max<ssize_t>(written, 0));
  call.Write(written, {.inode = InodeOf(fd), .offset = offset}, "", "",
             std::string_view(static_cast<const char*>(bytes), count));
  return written;
}

int fsync(int fd) { return Synced(Kind::kSync, fd, NEXT(fsync)); }

int syncfs(int fd) noexcept { return Synced(Kind::kSyncAll, fd, NEXT(syncfs)); }

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags) {
  if (!IsInside(fd)) return NEXT(sync_file_range)(fd, offset, length, flags);
  const Call call(Kind::kStartSync);
  return call.Fails() ? -1 : NEXT(sync_file_range)(fd, offset, length, flags);
}

int close(int fd) {
  if (!IsInside(fd)) return NEXT(close)(fd);
  const Call call(Kind::kClose);
  SetInside(fd, false);
  const int result = NEXT(close)(fd);  // The descriptor is gone also where this is to fail.
  return call.Fails() ? -1 : result;
}

int closedir(DIR* folder) {
  const int fd = ::dirfd(folder);
  if (!IsInside(fd)) return NEXT(closedir)(folder);
  const Call call(Kind::kClose);
  SetInside(fd, false);
  const int result = NEXT(closedir)(folder);
  return call.Fails() ? -1 : result;
}

int rename(const char* from, const char* to) noexcept {
  return Changed(Kind::kRename, AT_FDCWD, from, AT_FDCWD, to,
                 [&] { return NEXT(rename)(from, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  return Changed(Kind::kRename, from_folder, from, to_folder, to,
                 [&] { return NEXT(renameat2)(from_folder, from, to_folder, to, flags); });
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return Changed(Kind::kLink, from_folder, from, to_folder, to,
                 [&] { return NEXT(linkat)(from_folder, from, to_folder, to, flags); });
}

int unlink(const char* path) noexcept {
  return Changed(Kind::kUnlink, AT_FDCWD, path, -1, nullptr, [&] { return NEXT(unlink)(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  const Kind kind = (flags & AT_REMOVEDIR) != 0 ? Kind::kRemoveFolder : Kind::kUnlink;
  return Changed(kind, folder, path, -1, nullptr,
                 [&] { return NEXT(unlinkat)(folder, path, flags); });
}

int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return Changed(Kind::kMakeFolder, folder, path, -1, nullptr,
                 [&] { return NEXT(mkdirat)(folder, path, mode); });
}

int futimens(int fd, const timespec times[2]) noexcept {
  if (!IsInside(fd)) return NEXT(futimens)(fd, times);
  const Call call(Kind::kSetTimes);
  const int result = call.Fails() ? -1 : NEXT(futimens)(fd, times);
  const int error = errno;
  const Record record{.inode = InodeOf(fd), .offset = times[1].tv_sec, .length = times[1].tv_nsec};
  errno = error;
  call.Write(result, record);
  return result;
}

int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  const bool locks = command == F_OFD_SETLKW || command == F_OFD_SETLK || command == F_SETLKW ||
                     command == F_SETLK;
  if (!locks || !IsInside(fd)) return NEXT(fcntl)(fd, command, argument);
  const Call call(Kind::kLock);
  return call.Fails() ? -1 : NEXT(fcntl)(fd, command, argument);
}

int flock(int fd, int operation) noexcept {
  if (!IsInside(fd)) return NEXT(flock)(fd, operation);
  const Call call(Kind::kLock);
  return call.Fails() ? -1 : NEXT(flock)(fd, operation);
}

int statx(int folder, const char* path, int flags, unsigned mask, struct statx* state) noexcept {
  if (!IsInside(folder, path)) return NEXT(statx)(folder, path, flags, mask, state);
  const Call call(Kind::kStat);
  return call.Fails() ? -1 : NEXT(statx)(folder, path, flags, mask, state);
}

int lstat(const char* path, struct stat* state) noexcept {
  if (!IsInside(AT_FDCWD, path)) return NEXT(lstat)(path, state);
  const Call call(Kind::kStat);
  return call.Fails() ? -1 : NEXT(lstat)(path, state);
}

int faccessat(int folder, const char* path, int mode, int flags) noexcept {
  if (!IsInside(folder, path)) return NEXT(faccessat)(folder, path, mode, flags);
  const Call call(Kind::kStat);
  return call.Fails() ? -1 : NEXT(faccessat)(folder, path, mode, flags);
}

int fstatvfs(int fd, struct statvfs* state) noexcept {
  if (!IsInside(fd)) return NEXT(fstatvfs)(fd, state);
  const Call call(Kind::kStat);
  return call.Fails() ? -1 : NEXT(fstatvfs)(fd, state);
}

DIR* opendir(const char* path) {
  if (!IsInside(AT_FDCWD, path)) return NEXT(opendir)(path);
  const Call call(Kind::kOpen);
  DIR* const folder = call.Fails() ? nullptr : NEXT(opendir)(path);
  if (folder != nullptr) SetInside(::dirfd(folder), true);
  return folder;
}

DIR* fdopendir(int fd) {
  if (!IsInside(fd)) return NEXT(fdopendir)(fd);
  const Call call(Kind::kReadFolder);
  return call.Fails() ? nullptr : NEXT(fdopendir)(fd);
}

dirent* readdir(DIR* folder) {
  if (!IsInside(::dirfd(folder))) return NEXT(readdir)(folder);
  const Call call(Kind::kReadFolder);
  return call.Fails() ? nullptr : NEXT(readdir)(folder);
}

}  // extern "C"
