#include "store/disk_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <format>
#include <optional>
#include <tuple>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "store/file_descriptor.h"

namespace hangar {
namespace {

// As many as that there are, so that one that goes takes little with it; fewer where they would
// become so small that little fits into each, more where they would become large.
constexpr int64_t kSegments = 16;
constexpr int64_t kSegmentBytesMin = 4LL << 20;
constexpr int64_t kSegmentBytesMax = 64LL << 20;
constexpr int64_t kSegmentsMin = 3;
constexpr std::string_view kSegmentEnding = ".parts";
// After a failure of the disk nothing is written for so long.
constexpr int64_t kPauseSeconds = 60;

constexpr uint64_t kMagic = 0x31545241'50474e48;  // "HNGPART1"
constexpr uint32_t kNameBytesMax = 8192;

// What stands before a part's bytes, with its name between them. In the machine's byte order.
struct RecordHead {
  uint64_t magic = kMagic;
  uint32_t name_bytes = 0;
  uint32_t is_discarded = 0;  // 1: only its place is left.
  int64_t offset = 0;         // In the object.
  int64_t length = 0;
  uint64_t bytes_hash = 0;
  uint64_t head_hash = 0;  // Of the fields before this one, and the name.
};
static_assert(sizeof(RecordHead) == 48 && std::endian::native == std::endian::little);

uint64_t HashOfHead(const RecordHead& head, std::string_view name) {
  const uint64_t seed = XXH3_64bits(&head, offsetof(RecordHead, head_hash));
  return XXH3_64bits_withSeed(name.data(), name.size(), seed);
}

int64_t SecondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string SegmentName(uint64_t number) { return std::format("{:012}{}", number, kSegmentEnding); }

std::optional<uint64_t> NumberOfSegment(std::string_view name) {
  if (!name.ends_with(kSegmentEnding)) return std::nullopt;
  name.remove_suffix(kSegmentEnding.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// Writes both, whole, at `offset`; 0 or an errno.
int WriteBothAt(int fd, int64_t offset, std::string_view head, const void* bytes, int64_t length) {
  const int64_t head_bytes = std::ssize(head);
  int64_t done = 0;
  while (done < head_bytes + length) {
    const int64_t of_head = std::min(done, head_bytes);
    const int64_t of_bytes = done - of_head;
    iovec parts[2] = {
        {const_cast<char*>(head.data()) + of_head, static_cast<size_t>(head_bytes - of_head)},
        {const_cast<char*>(static_cast<const char*>(bytes)) + of_bytes,
         static_cast<size_t>(length - of_bytes)}};
    const ssize_t written = ::pwritev(fd, parts, 2, offset + done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    done += written;
  }
  return 0;
}

}  // namespace

struct DiskCache::Segment {
  Segment(uint64_t its_number, UniqueDescriptor its_file)
      : number(its_number), file(std::move(its_file)) {}

  const uint64_t number;
  const UniqueDescriptor file;
  // Under the cache's append mutex once it is open.
  int64_t bytes = 0;
  // Of what was written to it, under the cache's mutex.
  std::vector<Name> names;
};

DiskCache::DiskCache(const Options& options, std::shared_ptr<Logger> logger)
    : options_(options),
      segment_bytes_(std::min(
          std::clamp(options.capacity_bytes / kSegments, kSegmentBytesMin, kSegmentBytesMax),
          options.capacity_bytes / kSegmentsMin)),
      logger_(std::move(logger)) {}

DiskCache::~DiskCache() = default;

arrow::Result<std::shared_ptr<DiskCache>> DiskCache::Open(const Options& options,
                                                          std::shared_ptr<Logger> logger) {
  std::shared_ptr<DiskCache> cache(new DiskCache(options, std::move(logger)));
  ARROW_RETURN_NOT_OK(cache->OpenFolder());
  ARROW_RETURN_NOT_OK(cache->LoadSegments());
  return cache;
}

arrow::Status DiskCache::OpenFolder() {
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorKind::kFailedPrecondition, "the folder '{}' for the disk cache {}",
                 options_.folder, why);
  };
  std::error_code error;
  const std::filesystem::path folder(options_.folder);
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return refuse("cannot be made");
  folder_ = UniqueDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat state{};
  if (!folder_.is_open() || ::fstat(folder_.get(), &state) != 0) {
    return refuse("cannot be opened");
  }
  // Whoever can write there decides what readers are given.
  if (state.st_uid != ::geteuid() || (state.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse("can be written to by others: it has to be this user's alone");
  }
  auto lock = OpenEntry(folder_.get(), "lock", O_RDWR | O_CREAT, 0600);
  if (!lock) return refuse("cannot be written to");
  lock_ = std::move(*lock);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return refuse(errno == EWOULDBLOCK ? "is another server's: give each one of its own"
                                       : "cannot be locked");
  }
  return arrow::Status::OK();
}

arrow::Status DiskCache::LoadSegments() {
  std::vector<uint64_t> numbers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    if (const auto number = NumberOfSegment(entry.path().filename().string())) {
      numbers.push_back(*number);
    }
  }
  std::ranges::sort(numbers);
  MutexLock append_lock(append_mutex_);
  for (const uint64_t number : numbers) {
    auto file = OpenEntry(folder_.get(), SegmentName(number), O_RDWR);
    if (!file) continue;
    const auto segment = std::make_shared<Segment>(number, std::move(*file));
    MutexLock lock(mutex_);
    LoadSegment(segment);
    segments_.push_back(segment);
    bytes_ += segment->bytes;
  }
  // It may have been larger.
  while (bytes_ + segment_bytes_ > options_.capacity_bytes && EvictOldest()) {
  }
  MutexLock lock(mutex_);
  logger_->Info("opened the disk cache", {{"parts", std::to_string(places_.size()), true},
                                          {"bytes", std::to_string(bytes_.load()), true}});
  return arrow::Status::OK();
}

// Takes the parts from their heads; behind the last whole one the file is cut off.
void DiskCache::LoadSegment(const std::shared_ptr<Segment>& segment) {
  const int fd = segment->file.get();
  const auto state = StatDescriptor(fd);
  const int64_t file_bytes = state ? static_cast<int64_t>(state->stx_size) : 0;
  std::string buffer(sizeof(RecordHead) + kNameBytesMax, '\0');
  int64_t end = 0;
  for (;;) {
    // Most names are short.
    int64_t wanted = 512;
    auto got = ReadFully(fd, end, wanted, buffer.data());
    if (!got || *got < static_cast<int64_t>(sizeof(RecordHead))) break;
    RecordHead head;
    std::memcpy(&head, buffer.data(), sizeof(head));
    const int64_t head_bytes = static_cast<int64_t>(sizeof(head)) + head.name_bytes;
    if (head.magic != kMagic || head.name_bytes > kNameBytesMax || head.length < 0 ||
        head.length > file_bytes - end - head_bytes) {
      break;
    }
    if (head_bytes > wanted) got = ReadFully(fd, end, head_bytes, buffer.data());
    if (!got || *got < head_bytes) break;
    const std::string_view named(buffer.data() + sizeof(head), head.name_bytes);
    if (head.head_hash != HashOfHead(head, named)) break;
    const XXH128_hash_t hash = XXH3_128bits(named.data(), named.size());
    const Name name = {hash.low64, hash.high64};
    if (head.is_discarded == 0) {
      places_[name] = {.segment = segment, .offset = end, .bytes = head_bytes + head.length};
      segment->names.push_back(name);
    }
    end += head_bytes + head.length;
  }
  segment->bytes = end;
  if (end < file_bytes && ::ftruncate(fd, end) != 0) segment->bytes = file_bytes;
}

namespace {

// All that tells a part from every other one.
std::string NamedPart(std::string_view origin, const DiskCache::Unit& unit) {
  std::string named;
  for (const std::string_view part : {origin, unit.key, unit.version}) {
    named += part;
    named += '\0';
  }
  named += std::format("{}+{}", unit.offset, unit.length);
  return named;
}

}  // namespace

DiskCache::Name DiskCache::NameOf(const Unit& unit) const {
  const std::string named = NamedPart(options_.origin, unit);
  const XXH128_hash_t hash = XXH3_128bits(named.data(), named.size());
  return {hash.low64, hash.high64};
}

std::string DiskCache::HeadOf(const Unit& unit, const void* bytes) const {
  const std::string named = NamedPart(options_.origin, unit);
  RecordHead head{.name_bytes = static_cast<uint32_t>(named.size()),
                  .offset = unit.offset,
                  .length = unit.length,
                  .bytes_hash = XXH3_64bits(bytes, static_cast<size_t>(unit.length))};
  head.head_hash = HashOfHead(head, named);
  return std::string(reinterpret_cast<const char*>(&head), sizeof(head)) + named;
}

bool DiskCache::Has(const Unit& unit) {
  const Name name = NameOf(unit);
  MutexLock lock(mutex_);
  return places_.contains(name);
}

bool DiskCache::Read(const Unit& unit, void* out) {
  const Name name = NameOf(unit);
  Place place;
  {
    MutexLock lock(mutex_);
    const auto found = places_.find(name);
    if (found == places_.end()) {
      ++misses_;
      return false;
    }
    found->second.used = true;
    place = found->second;
  }
  const int64_t head_bytes = place.bytes - unit.length;
  std::string head(static_cast<size_t>(std::max<int64_t>(head_bytes, 0)), '\0');
  const int fd = place.segment->file.get();
  const auto got_head = ReadFully(fd, place.offset, std::ssize(head), head.data());
  const auto got = ReadFully(fd, place.offset + head_bytes, unit.length, out);
  if (!got_head || !got) {
    NoteDiskFailure("read", got_head ? got.error() : got_head.error());
  } else if (*got == unit.length && head == HeadOf(unit, out)) {
    ++hits_;
    return true;
  } else {
    ++errors_;
  }
  ++misses_;
  Drop(name, place);
  return false;
}

void DiskCache::Drop(const Name& name, const Place& place) {
  MutexLock lock(mutex_);
  const auto found = places_.find(name);
  if (found == places_.end() || found->second.segment != place.segment) return;
  places_.erase(found);
}

void DiskCache::NoteDiskFailure(std::string_view what, int error) {
  ++errors_;
  if (failure_was_logged_.exchange(true)) return;
  logger_->Warning("the disk cache fails; reads go on without it",
                   {{"doing", std::string(what)}, {"reason", std::strerror(error)}});
}

void DiskCache::Insert(const Unit& unit, const void* bytes) {
  const std::string head = HeadOf(unit, bytes);
  if (head.size() > sizeof(RecordHead) + kNameBytesMax) return;
  const Name name = NameOf(unit);
  MutexLock append_lock(append_mutex_);
  {
    MutexLock lock(mutex_);
    if (places_.contains(name)) return;
  }
  if (MakeRoom(std::ssize(head) + unit.length)) Append(name, head, bytes, unit.length);
}

void DiskCache::Discard(const Unit& unit) {
  const Name name = NameOf(unit);
  // With it no part moves to another segment meanwhile.
  const MutexLock append_lock(append_mutex_);
  Place place;
  {
    const MutexLock lock(mutex_);
    const auto found = places_.find(name);
    if (found == places_.end()) return;
    place = std::move(found->second);
    places_.erase(found);
  }
  // The record stays where it is, for the sake of those behind it.
  const std::string named = NamedPart(options_.origin, unit);
  RecordHead head{.name_bytes = static_cast<uint32_t>(named.size()),
                  .is_discarded = 1,
                  .offset = unit.offset,
                  .length = unit.length};
  head.head_hash = HashOfHead(head, named);
  const std::string_view head_bytes(reinterpret_cast<const char*>(&head), sizeof(head));
  const int error = WriteBothAt(place.segment->file.get(), place.offset, head_bytes, named.data(),
                                std::ssize(named));
  if (error != 0) NoteDiskFailure("write", error);
}

void DiskCache::Append(const Name& name, std::string_view head, const void* bytes, int64_t length) {
  const auto segment = last_;
  const int64_t record_bytes = std::ssize(head) + length;
  const int error = WriteBothAt(segment->file.get(), segment->bytes, head, bytes, length);
  if (error != 0) {
    NoteDiskFailure("write", error);
    // What was written of it is behind the end of all that counts.
    std::ignore = ::ftruncate(segment->file.get(), segment->bytes);
    last_ = nullptr;
    write_again_at_ = SecondsNow() + kPauseSeconds;
    return;
  }
  MutexLock lock(mutex_);
  places_[name] = {.segment = segment, .offset = segment->bytes, .bytes = record_bytes};
  segment->names.push_back(name);
  segment->bytes += record_bytes;
  bytes_ += record_bytes;
}

// True when the record fits into the last segment, which may have been begun for it.
bool DiskCache::MakeRoom(int64_t record_bytes) {
  if (record_bytes > segment_bytes_ || SecondsNow() < write_again_at_) return false;
  if (last_ != nullptr && last_->bytes + record_bytes <= segment_bytes_) return true;
  return BeginSegment() && last_->bytes + record_bytes <= segment_bytes_;
}

bool DiskCache::BeginSegment() {
  last_ = nullptr;
  while (bytes_ + segment_bytes_ > options_.capacity_bytes && EvictOldest()) {
  }
  uint64_t number = 1;
  {
    MutexLock lock(mutex_);
    if (!segments_.empty()) number = segments_.back()->number + 1;
  }
  auto file = OpenEntry(folder_.get(), SegmentName(number), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!file) {
    NoteDiskFailure("make a file", file.error());
    write_again_at_ = SecondsNow() + kPauseSeconds;
    return false;
  }
  last_ = std::make_shared<Segment>(number, std::move(*file));
  {
    MutexLock lock(mutex_);
    segments_.push_back(last_);
  }
  // While what was used moves to the new segment, the old one is still there: so one more of the
  // old ones goes than has to, before the new one is full.
  if (bytes_ + 2 * segment_bytes_ > options_.capacity_bytes) std::ignore = EvictOldest();
  return last_ != nullptr;
}

bool DiskCache::EvictOldest() {
  std::shared_ptr<Segment> oldest;
  std::vector<std::pair<Name, Place>> used;
  {
    MutexLock lock(mutex_);
    if (segments_.empty() || segments_.front() == last_) return false;
    oldest = segments_.front();
    segments_.pop_front();
    int64_t room_bytes = last_ == nullptr ? 0 : segment_bytes_ / 2;
    for (const Name& name : oldest->names) {
      const auto found = places_.find(name);
      if (found == places_.end() || found->second.segment != oldest) continue;
      if (found->second.used && found->second.bytes <= room_bytes) {
        room_bytes -= found->second.bytes;
        used.emplace_back(name, found->second);
      } else {
        places_.erase(found);
        ++evictions_;
      }
    }
  }
  std::string record;
  for (const auto& [name, place] : used) {
    record.resize(static_cast<size_t>(place.bytes));
    const auto got = ReadFully(oldest->file.get(), place.offset, place.bytes, record.data());
    if (last_ != nullptr && got && *got == place.bytes) {
      Append(name, record, nullptr, 0);
    }
    Drop(name, place);  // Unless it is elsewhere now.
  }
  if (::unlinkat(folder_.get(), SegmentName(oldest->number).c_str(), 0) != 0 && errno != ENOENT) {
    // It can take up room no more.
    NoteDiskFailure("delete", errno);
    std::ignore = ::ftruncate(oldest->file.get(), 0);
  }
  bytes_ -= oldest->bytes;
  return true;
}

DiskCache::Stats DiskCache::stats() const {
  return {.hits = hits_, .misses = misses_, .evictions = evictions_, .errors = errors_};
}

}  // namespace hangar
