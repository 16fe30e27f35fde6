#include <cstdint>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

// So many rows share one layout; a longer listing is printed in pieces, so that it is never held
// as a whole.
constexpr int kRowsAtATime = 1000;

struct LsOptions : CommonOptions {
  std::string glob;
  std::string prefix;
  std::optional<int64_t> limit;
};

arrow::Status PrintAsTable(client::DatasetListing& listing) {
  Table table({{"NAME"}, {"ROWS", true}, {"SIZE", true}, {"MODIFIED"}}, OutputWidth());
  int pending = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, listing.Next());
    if (!dataset) break;
    table.AddRow({dataset->name, FormatCount(dataset->rows), FormatBytes(dataset->bytes),
                  FormatTime(dataset->modified)});
    if (++pending % kRowsAtATime == 0) Print(table.Render());
  }
  if (!table.empty() || pending == 0) Print(table.Render());
  return arrow::Status::OK();
}

arrow::Status PrintAsLines(client::DatasetListing& listing, bool json) {
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, listing.Next());
    if (!dataset) return arrow::Status::OK();
    if (json) {
      PrintJson(DatasetJson(*dataset));
    } else {
      Print(Printable(dataset->name) + "\n");
    }
  }
}

arrow::Status Run(const LsOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  const auto listing = client->List(
      {.prefix = options.prefix, .glob = options.glob, .after = {}, .limit = options.limit});
  if (options.json() || options.quiet) return PrintAsLines(*listing, options.json());
  return PrintAsTable(*listing);
}

}  // namespace

void AddLs(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<LsOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "ls",
                                  .description = "List datasets, sorted by name",
                                  .quiet = "Print the names only",
                                  .example = "hangar ls 'sales/**'"},
                                 options);
  command.add_option("GLOB", options->glob,
                     "Only names that match: * stays within a segment, ** does not");
  command.add_option("--prefix", options->prefix, "Only names that begin so")->type_name("TEXT");
  RefuseNegative(*command.add_option("--limit", options->limit, "At most so many"));
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
