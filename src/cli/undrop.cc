#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct UndropOptions : CommonOptions {
  std::vector<std::string> names;
};

arrow::Status Undrop(const client::Client& client, const std::string& name,
                     const CommonOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto undropped, client.Undrop(name));
  PrintBroughtBack("undropped", undropped, options);
  return arrow::Status::OK();
}

}  // namespace

void AddUndrop(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<UndropOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "undrop",
                                  .description = "Bring dropped datasets back",
                                  .quiet = "Print nothing",
                                  .example = "hangar undrop sales/2024.parquet"},
                                 options);
  command.add_option("DROPPED", options->names, "The datasets; \"hangar trash\" lists them")
      ->required();
  OnRunWithCode(command, exit_code, [options] {
    return ForEachName(options->names, *options,
                       [&](const client::Client& client, const std::string& name) {
                         return Undrop(client, name, *options);
                       });
  });
}

}  // namespace hangar::cli
