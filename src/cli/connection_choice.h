#pragma once

#include <functional>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "cli/profile_file.h"
#include "client/client.h"

namespace hangar::cli {

/// The flags of every command that talks to a server; empty where they were not given.
struct ConnectionFlags {
  std::string profile;
  std::string server;
  std::string token;
  std::string token_file;
  std::string user;
  std::string ca;
  std::string cert;
  std::string key;
  bool insecure = false;
};

/// The value of an environment variable; empty when it is not set.
using Environment = std::function<std::string(const std::string& name)>;

/// The process's own.
std::string EnvironmentOf(const std::string& name);

/// The server to talk to, and as whom. Files are paths still, and a password was not asked for.
struct ConnectionChoice {
  std::string profile;  ///< Whose values are among these; empty for none.
  std::string server;
  // At most one of these.
  std::string token;  ///< "-": on standard input.
  std::string token_file;
  std::string user;

  std::string ca;
  std::string cert;
  std::string key;
  bool insecure = false;

  bool operator==(const ConnectionChoice&) const = default;
};

/// What counts for each part is the first of: the flags; the profile that --profile names; the
/// environment's HANGAR_SERVER, HANGAR_TOKEN and HANGAR_CA; the profile that HANGAR_PROFILE names,
/// else the one named "default"; the server of this machine. What a profile says counts for its own
/// server alone, so that no other is shown its token. INVALID_ARGUMENT when the flags contradict
/// each other, NOT_FOUND for a profile that was named and is not there.
arrow::Result<ConnectionChoice> ChooseConnection(const ConnectionFlags& flags,
                                                 const Environment& environment,
                                                 const Profiles& profiles);

/// Reads the files that are named, and asks for a password: HANGAR_PASSWORD, else the terminal.
arrow::Result<client::ClientOptions> ReadConnection(const ConnectionChoice& choice,
                                                    const Environment& environment);

}  // namespace hangar::cli
