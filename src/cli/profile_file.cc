#include "cli/profile_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <utility>

#include <toml++/toml.hpp>

#include "base/error.h"
#include "base/text.h"
#include "files/private_file.h"

namespace hangar::cli {
namespace {

namespace fs = std::filesystem;

struct TextKey {
  std::string_view name;
  std::string Profile::* field;
};

constexpr std::array kTextKeys = {TextKey{"server", &Profile::server},
                                  TextKey{"token", &Profile::token},
                                  TextKey{"token_file", &Profile::token_file},
                                  TextKey{"user", &Profile::user},
                                  TextKey{"ca", &Profile::ca},
                                  TextKey{"cert", &Profile::cert},
                                  TextKey{"key", &Profile::key}};
constexpr char kInsecure[] = "insecure";

// Values are left out of messages: they may be secret.
arrow::Status Wrong(const std::string& source, const toml::node& node, std::string_view what) {
  return Error(ErrorKind::kInvalidArgument, "{}, line {}: {}", source, node.source().begin.line,
               what);
}

arrow::Status SetKey(std::string_view name, const toml::node& node, const std::string& source,
                     Profile* profile) {
  if (name == kInsecure) {
    const auto value = node.value_exact<bool>();
    if (!value) return Wrong(source, node, "'insecure' has to be true or false");
    profile->insecure = *value;
    return arrow::Status::OK();
  }
  const auto* const key = std::ranges::find(kTextKeys, name, &TextKey::name);
  if (key == kTextKeys.end()) {
    return Wrong(source, node, std::format("{} is no key of a profile", Quoted(name)));
  }
  const auto value = node.value_exact<std::string>();
  if (!value) return Wrong(source, node, std::format("'{}' has to be a text", name));
  profile->*(key->field) = *value;
  return arrow::Status::OK();
}

arrow::Result<Profile> ParseProfile(const toml::node& node, const std::string& source) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return Wrong(source, node, "a profile is a table: [profiles.NAME]");
  Profile profile;
  for (const auto& [name, value] : *table) {
    ARROW_RETURN_NOT_OK(SetKey(name.str(), value, source, &profile));
  }
  if (profile.server.empty()) return Wrong(source, node, "the profile names no server");
  return profile;
}

arrow::Result<toml::table> ParseToml(std::string_view text, const std::string& source) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Error(ErrorKind::kInvalidArgument, "{}, line {}: this is not TOML", source,
                 error.source().begin.line);
  }
}

}  // namespace

std::string ProfilePath() {
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && config[0] == '/') return fs::path(config) / "hangar" / "config.toml";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') return "";
  return fs::path(home) / ".config" / "hangar" / "config.toml";
}

arrow::Status CheckProfileName(const std::string& name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_allowed)) {
    return arrow::Status::OK();
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} cannot be a profile's name: 1 to 64 letters, digits, '-', '_' and '.' can",
               Quoted(name));
}

arrow::Result<Profiles> ParseProfiles(std::string_view toml, const std::string& source) {
  ARROW_ASSIGN_OR_RAISE(const toml::table root, ParseToml(toml, source));
  Profiles profiles;
  for (const auto& [key, node] : root) {
    if (key.str() != "profiles" || !node.is_table()) {
      return Wrong(source, node, std::format("{} does not belong here", Quoted(key.str())));
    }
    for (const auto& [name, value] : *node.as_table()) {
      ARROW_RETURN_NOT_OK(CheckProfileName(std::string(name.str())));
      ARROW_ASSIGN_OR_RAISE(profiles[std::string(name.str())], ParseProfile(value, source));
    }
  }
  return profiles;
}

std::string FormatProfiles(const Profiles& profiles) {
  toml::table tables;
  for (const auto& [name, profile] : profiles) {
    toml::table table;
    for (const TextKey& key : kTextKeys) {
      const std::string& value = profile.*(key.field);
      if (!value.empty()) table.insert(key.name, value);
    }
    if (profile.insecure) table.insert(kInsecure, true);
    tables.insert(name, std::move(table));
  }
  std::ostringstream text;
  text << "# Servers and what shows them who asks. \"hangar login\" and \"hangar logout\" write "
          "this\n"
          "# file anew.\n"
       << toml::table{{"profiles", std::move(tables)}} << "\n";
  return text.str();
}

arrow::Result<Profiles> LoadProfiles(const std::string& path) {
  if (path.empty()) return Profiles();
  ARROW_ASSIGN_OR_RAISE(const auto text, ReadPrivateFile(path));
  if (!text) return Profiles();
  return ParseProfiles(*text, path);
}

arrow::Status SaveProfiles(const Profiles& profiles, const std::string& path) {
  if (path.empty()) {
    return MakeError(ErrorKind::kFailedPrecondition,
                     "there is no place for profiles: neither HOME nor XDG_CONFIG_HOME is set");
  }
  return WritePrivateFile(path, FormatProfiles(profiles));
}

}  // namespace hangar::cli
