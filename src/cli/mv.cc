#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct MvOptions : CommonOptions {
  std::string from;
  std::string to;
  client::RenameOptions rename;
};

arrow::Status Run(const MvOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_RETURN_NOT_OK(client->Rename(options.from, options.to, options.rename));
  if (options.json()) {
    PrintJson({{"from", options.from}, {"to", options.to}});
  } else if (!options.quiet) {
    Print(std::format("renamed {} to {}\n", Printable(options.from), Printable(options.to)));
  }
  return arrow::Status::OK();
}

}  // namespace

void AddMv(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<MvOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "mv",
                                  .description = "Rename a dataset",
                                  .quiet = "Print nothing",
                                  .example = "hangar mv draft.parquet sales/2026.parquet"},
                                 options);
  command.add_option("OLD", options->from, "The dataset")->required();
  command.add_option("NEW", options->to, "Its new name, which has to be free")->required();
  command.add_flag("--overwrite", options->rename.overwrite, "Replace what has the new name");
  command.add_option("--if-version", options->rename.if_version, "Rename only this version")
      ->type_name("VERSION");
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
