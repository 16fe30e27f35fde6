#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

arrow::Status Run(const CommonOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_ASSIGN_OR_RAISE(const auto actions, client->Actions());
  Table table({{"ACTION"}, {"DESCRIPTION"}}, OutputWidth());
  for (const client::ActionInfo& action : actions) {
    if (options.json()) {
      PrintJson({{"action", action.name}, {"description", action.description}});
    } else if (options.quiet) {
      Print(Printable(action.name) + "\n");
    } else {
      table.AddRow({action.name, action.description});
    }
  }
  if (!options.json() && !options.quiet) Print(table.Render());
  return arrow::Status::OK();
}

}  // namespace

void AddActions(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "actions",
                                  .description = "List the Flight actions that the server offers",
                                  .quiet = "Print the names only",
                                  .example = "hangar actions"},
                                 options);
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
