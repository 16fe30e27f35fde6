#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct RmOptions : CommonOptions {
  std::vector<std::string> names;
  client::DropOptions drop;
};

arrow::Status Drop(const client::Client& client, const std::string& name,
                   const RmOptions& options) {
  ARROW_RETURN_NOT_OK(client.Drop(name, options.drop));
  if (options.json()) {
    PrintJson({{"dropped", name}});
  } else if (!options.quiet) {
    Print(std::format("dropped {}{}\n", Printable(name), options.drop.purge ? " for good" : ""));
  }
  return arrow::Status::OK();
}

}  // namespace

void AddRm(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<RmOptions>();
  CLI::App& command =
      AddCommand(app,
                 {.name = "rm",
                  .description = "Drop datasets; \"hangar undrop\" brings them back for a while",
                  .quiet = "Print nothing",
                  .example = "hangar rm sales/2024.parquet sales/2025.parquet"},
                 options);
  command.add_option("NAME", options->names, "The datasets")->required();
  command
      .add_option("--if-version", options->drop.if_version, "Drop only this version, of one NAME")
      ->type_name("VERSION");
  command.add_flag("--purge", options->drop.purge,
                   "For good: keep nothing of them, nor of their earlier versions");
  OnRunWithCode(command, exit_code, [options] {
    if (!options->drop.if_version.empty() && options->names.size() > 1) {
      throw CLI::ValidationError("--if-version is of one dataset, but there are several names");
    }
    return ForEachName(options->names, *options,
                       [&](const client::Client& client, const std::string& name) {
                         return Drop(client, name, *options);
                       });
  });
}

}  // namespace hangar::cli
