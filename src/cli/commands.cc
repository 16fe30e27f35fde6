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

constexpr char kConnectionGroup[] = "Connection";

void AddConnectionFlags(CLI::App& command, ConnectionFlags& flags) {
  const auto add = [&](const char* name, std::string& value, const char* help, const char* type) {
    command.add_option(name, value, help)->type_name(type)->group(kConnectionGroup);
  };
  add("-s,--server", flags.server,
      "The server's address, or with commas those of several with the same datasets, which are "
      "tried in that order (or HANGAR_SERVER)",
      "URI");
  add("--profile", flags.profile, "A server that hangar login has stored (or HANGAR_PROFILE)",
      "PROFILE");
  add("--token", flags.token,
      "What shows who you are; others on this machine can see it here, unlike in HANGAR_TOKEN, "
      "--token-file and profiles; - reads a line of standard input",
      "TOKEN");
  add("--token-file", flags.token_file, "A file with the token", "FILE");
  add("--user", flags.user, "Log in with a password, which is HANGAR_PASSWORD or asked for",
      "TEXT");
  add("--ca", flags.ca, "Trust servers whose certificate these have signed, PEM (or HANGAR_CA)",
      "FILE");
  add("--cert", flags.cert, "Your own certificate, for servers that want one, PEM", "FILE");
  add("--key", flags.key, "The certificate's private key, PEM", "FILE");
  command
      .add_flag("--insecure", flags.insecure,
                "Let a token or password go over a network unencrypted")
      ->group(kConnectionGroup);
}

}  // namespace

CLI::App& AddCommand(CLI::App& app, const CommandText& text,
                     const std::shared_ptr<CommonOptions>& options) {
  CLI::App& command = AddLocalCommand(app, text, options);
  AddConnectionFlags(command, options->connection);
  return command;
}

CLI::App& AddLocalCommand(CLI::App& app, const CommandText& text,
                          const std::shared_ptr<CommonOptions>& options) {
  CLI::App& command = *app.add_subcommand(text.name, text.description);
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

arrow::Result<client::ClientOptions> ConnectionOf(const CommonOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Profiles profiles, LoadProfiles(ProfilePath()));
  ARROW_ASSIGN_OR_RAISE(const ConnectionChoice choice,
                        ChooseConnection(options.connection, EnvironmentOf, profiles));
  ARROW_ASSIGN_OR_RAISE(client::ClientOptions connection, ReadConnection(choice, EnvironmentOf));
  if (!options.quiet && !options.json()) {
    connection.on_failover = [](const std::string& sentence) { PrintNotice(sentence); };
  }
  return connection;
}

arrow::Result<std::unique_ptr<client::Client>> Connect(const CommonOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const client::ClientOptions connection, ConnectionOf(options));
  return Connect(connection);
}

arrow::Result<std::unique_ptr<client::Client>> Connect(const client::ClientOptions& options) {
  // gRPC's own lines about a connection that fails; the error says what they say.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  return client::Client::Connect(options);
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

void PrintNotice(std::string_view sentence) {
  // A progress line may stand there, which is drawn again below this one.
  if (IsTerminal(STDERR_FILENO)) std::fputs("\r\x1b[K", stderr);
  PrintError(sentence);
}

std::string Sentence(const arrow::Status& status) {
  const std::string& sentence = status.message();
  const auto with = [&](std::string_view advice) {
    return std::format("{} ({})", sentence, advice);
  };
  switch (KindOf(status)) {
    case ErrorKind::kUnauthenticated:
      return with("--token-file, --user or \"hangar login\" shows who you are");
    case ErrorKind::kUnavailable:
      if (sentence.starts_with("cannot reach ") || sentence.starts_with("none of the ")) {
        return with("--server or HANGAR_SERVER chooses another");
      }
      if (sentence.starts_with("the certificate of ") && sentence.contains("not trusted")) {
        return with("--ca FILE");
      }
      if (sentence.ends_with("wants a client certificate")) return with("--cert and --key");
      if (sentence.ends_with("no other server was tried")) {
        return with("what stands in a file is tried again by itself");
      }
      return sentence;
    case ErrorKind::kInvalidArgument:
      if (sentence.starts_with("a token or password would go to ")) return with("--insecure");
      return sentence;
    default:
      return sentence;
  }
}

int OutputWidth() { return IsTerminal(STDOUT_FILENO) ? TerminalWidth(STDOUT_FILENO) : 0; }

}  // namespace hangar::cli
