#include <string>

#include <CLI/CLI.hpp>
#include <arrow/type.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/dataset_reference.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct InfoOptions : CommonOptions {
  std::string name;
  VersionFlags flags;
};

void PrintAsText(const client::DatasetInfo& dataset) {
  const auto line = [](const char* title, const std::string& value) {
    return std::format("{:<12}{}\n", title, Printable(value));
  };
  // A current version has no such line.
  const std::string retired =
      dataset.retired ? line("retired", FormatTime(*dataset.retired)) : std::string();
  Print(line("name", dataset.name) + line("version", dataset.version) +
        line("modified", FormatTime(dataset.modified)) + retired +
        line("rows", FormatCount(dataset.rows)) +
        line("size",
             std::format("{} ({} bytes)", FormatBytes(dataset.bytes), FormatCount(dataset.bytes))) +
        line("row groups", FormatCount(dataset.row_groups)) +
        line("columns", FormatCount(dataset.schema->num_fields())));
}

arrow::Status Run(const InfoOptions& options) {
  const DatasetReference reference = ResolveReference(options.name, options.flags);
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_ASSIGN_OR_RAISE(const auto dataset, client->Describe(reference.name, reference.choice));
  if (options.quiet) return arrow::Status::OK();
  if (!options.json()) {
    PrintAsText(dataset);
    return arrow::Status::OK();
  }
  auto object = DatasetJson(dataset);
  object["columns"] = dataset.schema->num_fields();
  PrintJson(object);
  return arrow::Status::OK();
}

}  // namespace

void AddInfo(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "info",
                                  .description = "Show a dataset's version, size and row count",
                                  .quiet = "Print nothing: the exit code tells if it is there",
                                  .example = "hangar info sales/2026.parquet"},
                                 options);
  command.add_option("NAME", options->name, kReferenceHelp)->required();
  AddVersionFlags(command, options->flags);
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
