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
};

void PrintDropped(const std::string& name, const CommonOptions& options) {
  if (options.json()) {
    PrintJson({{"dropped", name}});
  } else if (!options.quiet) {
    Print("dropped " + Printable(name) + "\n");
  }
}

// As rm does, it goes on with the other names after a failure.
int Run(const RmOptions& options) {
  const auto client = Connect(options);
  if (!client.ok()) {
    PrintError(Sentence(client.status()));
    return 1;
  }
  int exit_code = 0;
  for (const std::string& name : options.names) {
    const arrow::Status status = (*client)->Drop(name);
    if (status.ok()) {
      PrintDropped(name, options);
      continue;
    }
    PrintError(Sentence(status));
    exit_code = 1;
    if (client::ErrorCode(status) == "UNAVAILABLE") break;
  }
  return exit_code;
}

}  // namespace

void AddRm(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<RmOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "rm",
                                  .description = "Drop datasets",
                                  .quiet = "Print nothing",
                                  .example = "hangar rm sales/2024.parquet sales/2025.parquet"},
                                 options);
  command.add_option("NAME", options->names, "The datasets")->required();
  OnRunWithCode(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
