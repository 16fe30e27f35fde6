#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct TrashOptions : CommonOptions {
  std::string glob;
  std::string prefix;
  std::optional<int64_t> limit;
  bool empty = false;
  bool yes = false;
};

nlohmann::ordered_json DroppedJson(const client::DroppedDataset& dropped) {
  return {{"name", dropped.name},
          {"version", dropped.version},
          {"dropped", FormatTimestamp(dropped.dropped)},
          {"rows", dropped.rows},
          {"bytes", dropped.bytes}};
}

// How much is kept, and the limits of it, a line each.
std::string HistoryLines(const client::HistoryStatus& status) {
  std::string out;
  for (const std::string& line :
       {std::format("kept: {}, {}, with those that were replaced",
                    CountOf(status.versions, "version"), FormatBytes(status.bytes)),
        std::format("limits: {} of a dataset, {}, {} in all",
                    CountOf(status.keep_versions, "version"), FormatSpan(status.keep_for),
                    FormatBytes(status.limit_bytes))}) {
    const int width = OutputWidth();
    out += (width > 0 ? CutToWidth(line, width) : line) + "\n";
  }
  return out;
}

arrow::Status PrintTrash(const client::Client& client, client::TrashListing& trash,
                         const TrashOptions& options) {
  Table table({{"NAME"}, {"ROWS", true}, {"SIZE", true}, {"DROPPED"}}, OutputWidth());
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto dropped, trash.Next());
    if (!dropped) break;
    if (options.json()) {
      PrintJson(DroppedJson(*dropped));
    } else if (options.quiet) {
      Print(Printable(dropped->name) + "\n");
    } else {
      table.AddRow({dropped->name, FormatCount(dropped->rows), FormatBytes(dropped->bytes),
                    FormatTime(dropped->dropped)});
    }
  }
  if (options.json() || options.quiet) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto status, client.History());
  Print(table.Render() + "\n" + HistoryLines(status));
  return arrow::Status::OK();
}

// Asks on the terminal, unless --yes says it all.
arrow::Result<bool> IsConfirmed(size_t count, const TrashOptions& options) {
  if (options.yes) return true;
  if (!IsTerminal(STDIN_FILENO) || !IsTerminal(STDERR_FILENO)) {
    return MakeError(ErrorKind::kFailedPrecondition,
                     "there is no terminal to ask on whether to empty the trash: say --yes");
  }
  std::cerr << "Remove " << CountOf(static_cast<int64_t>(count), "dropped dataset")
            << " for good? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void PrintPurged(const client::PurgeSummary& purged, const CommonOptions& options) {
  if (options.json()) {
    PrintJson(
        {{"dataset", purged.dataset}, {"versions", purged.versions}, {"bytes", purged.bytes}});
  } else if (!options.quiet) {
    Print(std::format("removed {}: {}, {}\n", Printable(purged.dataset),
                      CountOf(purged.versions, "version"), FormatBytes(purged.bytes)));
  }
}

// Only what was there when it asked is removed.
arrow::Status EmptyTrash(const client::Client& client, client::TrashListing& trash,
                         const TrashOptions& options) {
  std::vector<std::string> names;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto dropped, trash.Next());
    if (!dropped) break;
    names.push_back(std::move(dropped->name));
  }
  if (names.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const bool confirmed, IsConfirmed(names.size(), options));
  if (!confirmed) return MakeError(ErrorKind::kCancelled, "nothing was removed");
  for (const std::string& name : names) {
    ARROW_ASSIGN_OR_RAISE(const auto purged, client.PurgeVersions(name));
    PrintPurged(purged, options);
  }
  return arrow::Status::OK();
}

arrow::Status Run(const TrashOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  const auto trash = client->Trash(
      {.prefix = options.prefix, .glob = options.glob, .after = {}, .limit = options.limit});
  return options.empty ? EmptyTrash(*client, *trash, options)
                       : PrintTrash(*client, *trash, options);
}

}  // namespace

void AddTrash(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<TrashOptions>();
  CLI::App& command =
      AddCommand(app,
                 {.name = "trash",
                  .description = "List dropped datasets that \"hangar undrop\" can bring back",
                  .quiet = "Print the names only",
                  .example = "hangar trash\n"
                             "hangar trash --empty --prefix drafts/"},
                 options);
  command.add_option("DROPPED", options->glob,
                     "Only names that match: * stays within a segment, ** does not");
  command.add_option("--prefix", options->prefix, "Only names that begin so")->type_name("TEXT");
  RefuseNegative(*command.add_option("--limit", options->limit, "At most so many"));
  CLI::Option* const empty = command.add_flag(
      "--empty", options->empty, "Remove them for good, with their earlier versions, after asking");
  command.add_flag("--yes", options->yes, "Do not ask")->needs(empty);
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
