#include "store/s3_layout.h"

#include <array>
#include <charconv>
#include <format>
#include <utility>

namespace hangar {
namespace {

constexpr size_t kTimeDigits = 19;
constexpr std::string_view kHeld = "held";
constexpr std::string_view kMoved = "moved";
constexpr int64_t kFirstPartBytes = 8 << 20;
constexpr int kPartsOfOneSize = 1000;

constexpr std::array<std::pair<std::string_view, RetiredBy>, 3> kReasons = {
    {{"replaced", RetiredBy::kReplaced},
     {"dropped", RetiredBy::kDropped},
     {"renamed", RetiredBy::kRenamed}}};

std::string TextOf(Timestamp time) {
  return std::format("{:019}", time.time_since_epoch().count());
}

std::optional<Timestamp> TimeOf(std::string_view text) {
  int64_t nanoseconds = 0;
  const char* const end = text.data() + text.size();
  if (text.size() != kTimeDigits || std::from_chars(text.data(), end, nanoseconds).ptr != end) {
    return std::nullopt;
  }
  return Timestamp(std::chrono::nanoseconds(nanoseconds));
}

std::string_view NameOf(RetiredBy by) {
  for (const auto& [name, reason] : kReasons) {
    if (reason == by) return name;
  }
  return kReasons[0].first;
}

// What stands before the next '-', which is taken away.
std::string_view TakeWord(std::string_view& text) {
  const size_t end = std::min(text.find('-'), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

bool IsS3Dataset(std::string_view key) {
  if (key.empty() || key.ends_with('/')) return false;
  while (true) {
    if (key.starts_with('.') || key.starts_with("_hangar")) return false;
    const size_t slash = key.find('/');
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

std::string EscapeForS3History(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += "!a";
    } else if (c == '!') {
      out += "!b";
    } else {
      out += c;
    }
  }
  return out;
}

std::string S3HistoryFolderOf(std::string_view key) { return EscapeForS3History(key) + ' '; }

std::optional<std::string> KeyOfS3HistoryFolder(std::string_view folder) {
  if (!folder.ends_with(' ')) return std::nullopt;
  folder.remove_suffix(1);
  std::string key;
  for (size_t i = 0; i < folder.size(); ++i) {
    if (folder[i] != '!') {
      key += folder[i];
      continue;
    }
    if (++i == folder.size() || (folder[i] != 'a' && folder[i] != 'b')) return std::nullopt;
    key += folder[i] == 'a' ? ' ' : '!';
  }
  return key;
}

std::string S3HistoryName::ToString() const {
  switch (kind) {
    case Kind::kHeld:
      return std::format("{}-{}-{}", kHeld, TextOf(time), version);
    case Kind::kMoved:
      return std::format("{}-{}-{}", kMoved, TextOf(time), version);
    case Kind::kEntry:
      break;
  }
  return std::format("{}-{}-{}-{}", TextOf(time), NameOf(by), TextOf(modified), version);
}

std::optional<S3HistoryName> ParseS3HistoryName(std::string_view name) {
  S3HistoryName parsed;
  std::string_view word = TakeWord(name);
  if (word == kHeld || word == kMoved) {
    parsed.kind = word == kHeld ? S3HistoryName::Kind::kHeld : S3HistoryName::Kind::kMoved;
    word = TakeWord(name);
  }
  const auto time = TimeOf(word);
  if (!time) return std::nullopt;
  parsed.time = *time;
  if (parsed.kind == S3HistoryName::Kind::kEntry) {
    word = TakeWord(name);
    const auto* const reason =
        std::ranges::find(kReasons, word, [](const auto& r) { return r.first; });
    const auto modified = TimeOf(TakeWord(name));
    if (reason == kReasons.end() || !modified) return std::nullopt;
    parsed.by = reason->second;
    parsed.modified = *modified;
  }
  if (name.empty()) return std::nullopt;
  parsed.version = name;
  return parsed;
}

int64_t S3PartBytes(int index) { return kFirstPartBytes << (index / kPartsOfOneSize); }

}  // namespace hangar
