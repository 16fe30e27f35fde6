#include "s3/profile_file.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"

namespace hangar {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

std::string SmallLetters(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// A '#' or ';' after a blank begins a comment.
std::string_view WithoutComment(std::string_view value) {
  for (size_t i = 1; i < value.size(); ++i) {
    const bool begins = (value[i] == '#' || value[i] == ';') && kBlanks.contains(value[i - 1]);
    if (begins) return value.substr(0, i);
  }
  return value;
}

// What stands between the brackets, its blanks made one: "profile  a" is "profile a".
std::string SectionName(std::string_view line) {
  const std::string inner = Trimmed(line.substr(1, line.find(']') - 1));
  constexpr std::string_view kProfile = "profile";
  if (!inner.starts_with(kProfile) || inner.size() == kProfile.size() ||
      !kBlanks.contains(inner[kProfile.size()])) {
    return inner;
  }
  return "profile " + Trimmed(std::string_view(inner).substr(kProfile.size()));
}

arrow::Result<std::map<std::string, Profile>> LoadFile(const std::string& path) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) {
    if (!error || error == std::errc::no_such_file_or_directory ||
        error == std::errc::not_a_directory) {
      return std::map<std::string, Profile>();
    }
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) {
    return Error(ErrorKind::kFailedPrecondition,
                 "the file of S3 profiles '{}' cannot be read; check its permissions", path);
  }
  return ParseProfileFile(text);
}

std::string PathOf(const Environment& environment, const char* variable, const char* name) {
  const std::string home = environment("HOME");
  std::string path = environment(variable);
  if (path.empty()) return home.empty() ? "" : home + "/.aws/" + name;
  if (path.starts_with("~/")) path = home + path.substr(1);
  return path;
}

}  // namespace

std::map<std::string, Profile> ParseProfileFile(std::string_view text) {
  std::map<std::string, Profile> profiles;
  Profile* profile = nullptr;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      profile = line.contains(']') ? &profiles[SectionName(line)] : nullptr;
      continue;
    }
    const size_t equals = line.find('=');
    const bool is_nested = kBlanks.contains(line[0]);
    if (profile == nullptr || is_nested || equals == std::string_view::npos) continue;
    (*profile)[SmallLetters(Trimmed(line.substr(0, equals)))] =
        Trimmed(WithoutComment(line.substr(equals + 1)));
  }
  return profiles;
}

arrow::Result<Profile> LoadProfile(const std::string& name, const Environment& environment) {
  std::string chosen = name.empty() ? environment("AWS_PROFILE") : name;
  if (chosen.empty()) chosen = "default";
  ARROW_ASSIGN_OR_RAISE(auto config, LoadFile(PathOf(environment, "AWS_CONFIG_FILE", "config")));
  ARROW_ASSIGN_OR_RAISE(
      auto credentials,
      LoadFile(PathOf(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials")));
  Profile profile = credentials[chosen];
  profile.merge(config["profile " + chosen]);
  if (chosen == "default") profile.merge(config["default"]);
  return profile;
}

}  // namespace hangar
