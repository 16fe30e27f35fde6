#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/profile_file.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace hangar::cli {
namespace {

// How somebody is shown, without what does it.
std::string ShownBy(const Profile& profile) {
  std::string shown = profile.token.empty() && profile.token_file.empty() ? "" : "token";
  if (!profile.user.empty()) shown = (shown.empty() ? "password of " : "token of ") + profile.user;
  if (!profile.cert.empty()) shown += shown.empty() ? "certificate" : ", certificate";
  return shown.empty() ? "-" : shown;
}

arrow::Status Run(const CommonOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Profiles profiles, LoadProfiles(ProfilePath()));
  Table table({{"PROFILE"}, {"SERVER"}, {"AS"}}, OutputWidth());
  for (const auto& [name, profile] : profiles) {
    if (options.json()) {
      PrintJson({{"profile", name}, {"server", profile.server}, {"as", ShownBy(profile)}});
    } else if (options.quiet) {
      Print(name + "\n");
    } else {
      table.AddRow({name, profile.server, ShownBy(profile)});
    }
  }
  if (!options.json() && !options.quiet) Print(table.Render());
  return arrow::Status::OK();
}

}  // namespace

void AddProfiles(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App& command =
      AddLocalCommand(app,
                      {.name = "profiles",
                       .description = "List the servers that hangar login has stored",
                       .quiet = "Print the names only",
                       .example = "hangar profiles"},
                      options);
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
