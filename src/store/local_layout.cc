#include "store/local_layout.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <format>
#include <iterator>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kStagedIdDigits = 32;

constexpr size_t kTimeDigits = 16;
// ".", a time, "-", a letter, "-", a time.
constexpr size_t kHowPosition = 1 + kTimeDigits + 1;
constexpr size_t kHeldPosition = kHowPosition + 2;
constexpr size_t kRetiredNameSize = kHeldPosition + kTimeDigits;

constexpr std::pair<RetiredBy, char> kHow[] = {
    {RetiredBy::kReplaced, 'r'}, {RetiredBy::kDropped, 'd'}, {RetiredBy::kRenamed, 'm'}};

// Nanoseconds since the epoch as hexadecimal digits; times before it do not occur.
std::string TimeDigits(Timestamp time) {
  return std::format("{:016x}", std::max<int64_t>(time.time_since_epoch().count(), 0));
}

std::optional<Timestamp> ParseTimeDigits(std::string_view digits) {
  int64_t nanoseconds = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), nanoseconds, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return Timestamp(std::chrono::nanoseconds(nanoseconds));
}

}  // namespace

bool IsVisibleName(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && !name.starts_with(kHiddenFolder) &&
         IsValidUtf8(name);
}

arrow::Status CheckKey(std::string_view key) {
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view segment = key.substr(begin, end - begin);
    if (!IsVisibleName(segment) || segment.contains('\0')) {
      return Error(ErrorKind::kInvalidArgument, "{} is not a name that can be stored", Quoted(key));
    }
    begin = end + 1;
  }
  return arrow::Status::OK();
}

std::string NewStagedName() {
  std::random_device random;
  std::string name = ".";
  while (name.size() < 1 + kStagedIdDigits) {
    name += std::format("{:08x}", static_cast<uint32_t>(random()));
  }
  return name;
}

bool IsStagedName(std::string_view name) {
  return name.size() == 1 + kStagedIdDigits && name.starts_with('.') &&
         name.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

std::string FormatRetiredName(const RetiredName& name) {
  const auto how = std::ranges::find(kHow, name.by, &std::pair<RetiredBy, char>::first);
  return std::format(".{}-{}-{}", TimeDigits(name.retired), how->second,
                     TimeDigits(name.held_until));
}

std::optional<RetiredName> ParseRetiredName(std::string_view name) {
  if (name.size() != kRetiredNameSize || name[0] != '.' || name[kHowPosition - 1] != '-' ||
      name[kHeldPosition - 1] != '-') {
    return std::nullopt;
  }
  const auto retired = ParseTimeDigits(name.substr(1, kTimeDigits));
  const auto how = std::ranges::find(kHow, name[kHowPosition], &std::pair<RetiredBy, char>::second);
  const auto held_until = ParseTimeDigits(name.substr(kHeldPosition));
  if (!retired || how == std::end(kHow) || !held_until) return std::nullopt;
  return RetiredName{.retired = *retired, .by = how->first, .held_until = *held_until};
}

std::string HistoryFolderOf(std::string_view key) {
  return std::format("{}/{}/{}", kHiddenFolder, kHistoryFolder, key);
}

std::string_view FolderOf(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
}

std::string_view LeafOf(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

}  // namespace hangar
