#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/dataset_reference.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct RestoreCommandOptions : CommonOptions {
  std::string name;
  VersionFlags flags;
  std::string if_version;
};

arrow::Status Run(const RestoreCommandOptions& options) {
  const DatasetReference reference = ResolveReference(options.name, options.flags);
  if (reference.choice.version.empty() && !reference.choice.as_of) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} names no version: give NAME@VERSION or NAME@TIME (\"hangar versions\" lists "
                 "what is kept)",
                 Quoted(options.name));
  }
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_ASSIGN_OR_RAISE(const auto restored,
                        client->Restore(reference.name, {.version = reference.choice.version,
                                                         .as_of = reference.choice.as_of,
                                                         .if_version = options.if_version}));
  PrintBroughtBack("restored", restored, options);
  return arrow::Status::OK();
}

}  // namespace

void AddRestore(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<RestoreCommandOptions>();
  CLI::App& command =
      AddCommand(app,
                 {.name = "restore",
                  .description = "Make an earlier version of a dataset the current one again",
                  .quiet = "Print nothing",
                  .example = "hangar versions sales/2026.parquet\n"
                             "hangar restore sales/2026.parquet@5d41402abc4b2a76b9719d911017c592\n"
                             "hangar restore sales/2026.parquet@2026-01-31T12:00:00Z"},
                 options);
  command
      .add_option("NAME", options->name,
                  "The dataset with its version, as NAME@VERSION, or NAME@TIME for the one that "
                  "was current then")
      ->required();
  AddVersionFlags(command, options->flags);
  command.add_option("--if-version", options->if_version, "Only if this is the current version")
      ->type_name("VERSION");
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
