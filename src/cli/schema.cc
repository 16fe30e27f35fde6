#include <string>

#include <CLI/CLI.hpp>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/dataset_reference.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct SchemaOptions : CommonOptions {
  std::string name;
  VersionFlags flags;
};

void PrintAsText(const arrow::Schema& schema) {
  Table table({{"COLUMN"}, {"TYPE"}, {"NULLABLE"}}, OutputWidth());
  for (const auto& field : schema.fields()) {
    table.AddRow({field->name(), field->type()->ToString(), field->nullable() ? "yes" : "no"});
  }
  Print(table.Render());
  if (!schema.HasMetadata()) return;
  std::string keys;
  for (const std::string& key : schema.metadata()->keys()) {
    keys += (keys.empty() ? "" : ", ") + Printable(key);
  }
  Print("\nMetadata: " + keys + " (--output json shows it)\n");
}

arrow::Status Run(const SchemaOptions& options) {
  const DatasetReference reference = ResolveReference(options.name, options.flags);
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_ASSIGN_OR_RAISE(const auto schema, client->Schema(reference.name, reference.choice));
  if (options.json()) {
    nlohmann::ordered_json object = {{"fields", nlohmann::ordered_json::array()}};
    for (const auto& field : schema->fields()) object["fields"].push_back(FieldJson(*field));
    object["metadata"] = MetadataJson(schema->metadata().get());
    PrintJson(object);
  } else if (options.quiet) {
    for (const auto& field : schema->fields()) Print(Printable(field->name()) + "\n");
  } else {
    PrintAsText(*schema);
  }
  return arrow::Status::OK();
}

}  // namespace

void AddSchema(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<SchemaOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "schema",
                                  .description = "Show a dataset's columns and their types",
                                  .quiet = "Print the columns' names only",
                                  .example = "hangar schema sales/2026.parquet"},
                                 options);
  command.add_option("NAME", options->name, kReferenceHelp)->required();
  AddVersionFlags(command, options->flags);
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
