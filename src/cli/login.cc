#include <filesystem>
#include <format>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/profile_file.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

// As of this folder now, so that the profile means the same in any.
std::string Absolute(const std::string& path) {
  if (path.empty()) return path;
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

// What a login to the same server can leave out: all of the stored profile but its token.
Profiles Known(const std::string& name, const Profiles& profiles, const ConnectionFlags& flags) {
  const auto found = profiles.find(name);
  if (found == profiles.end()) return {};
  if (!flags.server.empty() && flags.server != found->second.server) return {};
  Profile known = found->second;
  known.token.clear();
  known.token_file.clear();
  return {{name, known}};
}

arrow::Result<Profile> LogIn(const std::string& name, ConnectionFlags flags,
                             const Profiles& profiles) {
  const Profiles known = Known(name, profiles, flags);
  // A profile that is about to be made need not be there.
  if (known.empty()) flags.profile.clear();
  const auto environment = [&](const std::string& variable) {
    if (variable == "HANGAR_PROFILE") return known.empty() ? "" : name;
    return EnvironmentOf(variable);
  };
  ARROW_ASSIGN_OR_RAISE(const ConnectionChoice choice, ChooseConnection(flags, environment, known));
  ARROW_ASSIGN_OR_RAISE(const client::ClientOptions options, ReadConnection(choice, environment));
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  Profile profile{.server = choice.server,
                  .user = choice.user,
                  .ca = Absolute(choice.ca),
                  .cert = Absolute(choice.cert),
                  .key = Absolute(choice.key),
                  .insecure = choice.insecure};
  ARROW_ASSIGN_OR_RAISE(profile.token, client->LogIn());
  ARROW_RETURN_NOT_OK(client->Actions().status());  // Costs nothing, and asks who it is.
  return profile;
}

arrow::Status RunLogin(const CommonOptions& options) {
  const std::string asked = options.connection.profile.empty() ? EnvironmentOf("HANGAR_PROFILE")
                                                               : options.connection.profile;
  const std::string name = asked.empty() ? kDefaultProfile : asked;
  ARROW_RETURN_NOT_OK(CheckProfileName(name));
  const std::string path = ProfilePath();
  ARROW_ASSIGN_OR_RAISE(Profiles profiles, LoadProfiles(path));
  ARROW_ASSIGN_OR_RAISE(const Profile profile, LogIn(name, options.connection, profiles));
  profiles[name] = profile;
  ARROW_RETURN_NOT_OK(SaveProfiles(profiles, path));
  if (options.json()) {
    PrintJson({{"profile", name}, {"server", profile.server}});
  } else if (!options.quiet) {
    Print(std::format("profile {} is {}, stored in {}\n", name, Printable(profile.server),
                      Printable(path)));
  }
  return arrow::Status::OK();
}

arrow::Status RunLogout(const std::string& asked, const CommonOptions& options) {
  const std::string name = asked.empty() ? kDefaultProfile : asked;
  const std::string path = ProfilePath();
  ARROW_ASSIGN_OR_RAISE(Profiles profiles, LoadProfiles(path));
  if (profiles.erase(name) == 0) {
    return Error(ErrorKind::kNotFound, "there is no profile {}: \"hangar profiles\" lists them",
                 Quoted(name));
  }
  ARROW_RETURN_NOT_OK(SaveProfiles(profiles, path));
  if (options.json()) {
    PrintJson({{"profile", name}});
  } else if (!options.quiet) {
    Print(std::format("forgot profile {}\n", name));
  }
  return arrow::Status::OK();
}

}  // namespace

void AddLogin(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App& command = AddCommand(
      app,
      {.name = "login",
       .description = "Try a server and store it, and what shows who you are, as a profile",
       .quiet = "Print nothing",
       .example = "hangar login --server grpc+tls://data.example.org:8815 --user ann\n"
                  "hangar login --profile nightly --server grpc+tls://data.example.org:8815 "
                  "--token - <token.txt"},
      options);
  command.get_option("--profile")
      ->description("The profile's name; \"default\" counts wherever none is named");
  OnRun(command, exit_code, [options] { return RunLogin(*options); });
}

void AddLogout(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<CommonOptions>();
  auto name = std::make_shared<std::string>();
  CLI::App& command = AddLocalCommand(app,
                                      {.name = "logout",
                                       .description = "Forget a profile and its token",
                                       .quiet = "Print nothing",
                                       .example = "hangar logout nightly"},
                                      options);
  command.add_option("PROFILE", *name, "The profile; \"default\" when none is given");
  OnRun(command, exit_code, [options, name] { return RunLogout(*name, *options); });
}

}  // namespace hangar::cli
