#include "cli/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <format>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

std::string Indented(const std::string& lines) {
  std::string out = "  ";
  for (const char c : lines) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

}  // namespace

CLI::App& AddCommand(CLI::App& app, const CommandText& text,
                     const std::shared_ptr<CommonOptions>& options) {
  CLI::App& command = *app.add_subcommand(text.name, text.description);
  command.add_option("-s,--server", options->server, "The server's address")
      ->envname("HANGAR_SERVER")
      ->default_val(client::kDefaultUri)
      ->type_name("URI");
  LimitTo(*command.add_option("--output", options->output, "json prints one JSON object a line")
               ->default_val("text"),
          {"text", "json"});
  if (!text.quiet.empty()) command.add_flag("-q,--quiet", options->quiet, text.quiet);
  command.footer("Example:\n" + Indented(text.example));
  return command;
}

void LimitTo(CLI::Option& option, const std::vector<std::string>& choices) {
  std::string joined;
  for (const std::string& choice : choices) joined += (joined.empty() ? "" : "|") + choice;
  option.type_name(joined);
  option.check([choices, joined](const std::string& value) -> std::string {
    if (std::ranges::find(choices, value) != choices.end()) return "";
    return std::format("{} is not one of {}", Quoted(value), joined);
  });
}

void RefuseNegative(CLI::Option& option) {
  option.type_name("N");
  option.check([](const std::string& value) -> std::string {
    return value.starts_with('-') ? std::format("{} is negative", Quoted(value)) : "";
  });
}

void OnRunWithCode(CLI::App& command, const ExitCode& exit_code, std::function<int()> run) {
  command.callback([exit_code, run = std::move(run)] {
    // As every command of a pipeline: `hangar ls | head -1` ends when head does.
    std::signal(SIGPIPE, SIG_DFL);
    exit_code(run());
  });
}

void OnRun(CLI::App& command, const ExitCode& exit_code, std::function<arrow::Status()> run) {
  OnRunWithCode(command, exit_code, [run = std::move(run)] {
    const arrow::Status status = run();
    if (!status.ok()) PrintError(Sentence(status));
    return status.ok() ? 0 : 1;
  });
}

arrow::Result<std::unique_ptr<client::Client>> Connect(const CommonOptions& options) {
  return client::Client::Connect({.uri = options.server});
}

int ForEachName(const std::vector<std::string>& names, const CommonOptions& options,
                const std::function<arrow::Status(const client::Client& client,
                                                  const std::string& name)>& run) {
  const auto client = Connect(options);
  if (!client.ok()) {
    PrintError(Sentence(client.status()));
    return 1;
  }
  int exit_code = 0;
  for (const std::string& name : names) {
    const arrow::Status status = run(**client, name);
    if (status.ok()) continue;
    PrintError(Sentence(status));
    exit_code = 1;
    if (KindOf(status) == ErrorKind::kUnavailable) break;
  }
  return exit_code;
}

void PrintBroughtBack(std::string_view verb, const client::DatasetVersion& dataset,
                      const CommonOptions& options) {
  if (options.json()) {
    PrintJson({{"dataset", dataset.dataset}, {"version", dataset.version}});
  } else if (!options.quiet) {
    Print(std::format("{} {}, version {}\n", verb, Printable(dataset.dataset),
                      Printable(dataset.version)));
  }
}

void Print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return;
  }
  // Only where the parent ignores SIGPIPE, or the disk behind a redirection is full.
  if (errno != EPIPE) PrintError("standard output cannot be written");
  std::_Exit(1);
}

void PrintError(std::string_view sentence) {
  const std::string line = std::format("hangar: {}\n", Printable(OneLine(sentence)));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string Sentence(const arrow::Status& status) {
  std::string sentence = status.message();
  if (KindOf(status) == ErrorKind::kUnavailable && sentence.starts_with("cannot reach ")) {
    sentence += " (--server or HANGAR_SERVER chooses another)";
  }
  return sentence;
}

int OutputWidth() { return IsTerminal(STDOUT_FILENO) ? TerminalWidth(STDOUT_FILENO) : 0; }

}  // namespace hangar::cli
