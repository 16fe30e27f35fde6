#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct VersionsOptions : CommonOptions {
  std::string name;
};

const char* StateName(client::VersionState state) {
  switch (state) {
    case client::VersionState::kCurrent:
      return "current";
    case client::VersionState::kReplaced:
      return "replaced";
    case client::VersionState::kDropped:
      return "dropped";
  }
  return "replaced";
}

std::string StateText(const client::VersionInfo& version) {
  const std::string name = StateName(version.state);
  return version.retired ? name + " " + FormatTime(*version.retired) : name;
}

nlohmann::ordered_json VersionJson(const client::VersionInfo& version) {
  nlohmann::ordered_json object = {{"dataset", version.dataset},
                                   {"version", version.version},
                                   {"modified", FormatTimestamp(version.modified)},
                                   {"rows", version.rows},
                                   {"bytes", version.bytes},
                                   {"state", StateName(version.state)}};
  if (version.retired) object["retired"] = FormatTimestamp(*version.retired);
  return object;
}

arrow::Status Run(const VersionsOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_ASSIGN_OR_RAISE(const auto versions, client->Versions(options.name));
  Table table({{"VERSION"}, {"MODIFIED"}, {"ROWS", true}, {"SIZE", true}, {"STATE"}},
              OutputWidth());
  for (const client::VersionInfo& version : versions) {
    if (options.json()) {
      PrintJson(VersionJson(version));
    } else if (options.quiet) {
      Print(Printable(version.version) + "\n");
    } else {
      table.AddRow({version.version, FormatTime(version.modified), FormatCount(version.rows),
                    FormatBytes(version.bytes), StateText(version)});
    }
  }
  if (!options.json() && !options.quiet) Print(table.Render());
  return arrow::Status::OK();
}

}  // namespace

void AddVersions(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<VersionsOptions>();
  CLI::App& command =
      AddCommand(app,
                 {.name = "versions",
                  .description = "List the versions of a dataset that are kept, the latest first",
                  .quiet = "Print the versions only",
                  .example = "hangar versions sales/2026.parquet"},
                 options);
  command.add_option("NAME", options->name, "The dataset, which may have been dropped")->required();
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
