#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar::cli {

/// How to reach one server, and as whom. Empty where it is not said.
struct Profile {
  std::string server;
  std::string token;
  std::string token_file;
  std::string user;
  std::string ca;
  std::string cert;
  std::string key;
  bool insecure = false;

  bool operator==(const Profile&) const = default;
};

using Profiles = std::map<std::string, Profile>;

/// The profile that is meant where none is named.
inline constexpr char kDefaultProfile[] = "default";

/// $XDG_CONFIG_HOME/hangar/config.toml, else ~/.config/hangar/config.toml; empty where the
/// environment names neither folder.
std::string ProfilePath();

/// OK for a name of 1 to 64 letters, digits, '-', '_' and '.'; INVALID_ARGUMENT else.
arrow::Status CheckProfileName(const std::string& name);

/// The profiles of a TOML text:
///
///     [profiles.default]
///     server = "grpc+tls://data.example.org:8815"
///     token = "..."
///
/// INVALID_ARGUMENT, naming `source` and the line but no value, for anything else.
arrow::Result<Profiles> ParseProfiles(std::string_view toml, const std::string& source);

/// The text that ParseProfiles takes.
std::string FormatProfiles(const Profiles& profiles);

/// The profiles in a file; none when it is not there. FAILED_PRECONDITION when it is not this
/// user's alone to read and write, as it holds tokens.
arrow::Result<Profiles> LoadProfiles(const std::string& path);

/// Writes the file, mode 600 in a folder of mode 700 which is made where it is missing. Whoever
/// reads it meanwhile, or after a crash, sees the old ones or the new ones.
arrow::Status SaveProfiles(const Profiles& profiles, const std::string& path);

}  // namespace hangar::cli
