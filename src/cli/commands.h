#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "cli/connection_choice.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hangar::cli {

/// Takes the process's exit code from a command that has run.
using ExitCode = std::function<void(int)>;

// Each adds one command, from the file of its name.
void AddLs(CLI::App& app, const ExitCode& exit_code);
void AddInfo(CLI::App& app, const ExitCode& exit_code);
void AddSchema(CLI::App& app, const ExitCode& exit_code);
void AddHead(CLI::App& app, const ExitCode& exit_code);
void AddPut(CLI::App& app, const ExitCode& exit_code);
void AddGet(CLI::App& app, const ExitCode& exit_code);
void AddRm(CLI::App& app, const ExitCode& exit_code);
void AddMv(CLI::App& app, const ExitCode& exit_code);
void AddVersions(CLI::App& app, const ExitCode& exit_code);
void AddRestore(CLI::App& app, const ExitCode& exit_code);
void AddUndrop(CLI::App& app, const ExitCode& exit_code);
void AddTrash(CLI::App& app, const ExitCode& exit_code);
void AddCheck(CLI::App& app, const ExitCode& exit_code);
void AddActions(CLI::App& app, const ExitCode& exit_code);
void AddSync(CLI::App& app, const ExitCode& exit_code);
void AddLogin(CLI::App& app, const ExitCode& exit_code);
void AddLogout(CLI::App& app, const ExitCode& exit_code);
void AddProfiles(CLI::App& app, const ExitCode& exit_code);
void AddCompletion(CLI::App& app, const ExitCode& exit_code);

/// What every command that talks to a server takes.
struct CommonOptions {
  ConnectionFlags connection;
  std::string output = "text";
  bool quiet = false;

  bool json() const { return output == "json"; }
};

/// The help of a command.
struct CommandText {
  std::string name;
  std::string description;
  std::string quiet;    ///< What -q does here; empty when there is none.
  std::string example;  ///< One or more lines, without indentation.
};

/// A command with the common options, which live in `options`.
CLI::App& AddCommand(CLI::App& app, const CommandText& text,
                     const std::shared_ptr<CommonOptions>& options);

/// The same without those that say which server, for a command that talks to none.
CLI::App& AddLocalCommand(CLI::App& app, const CommandText& text,
                          const std::shared_ptr<CommonOptions>& options);

/// Lets an option take only these values. They become its type name, as "a|b", which is how
/// `hangar completion` knows them.
void LimitTo(CLI::Option& option, const std::vector<std::string>& choices);

/// For an option that is a number "N" of 0 or more.
void RefuseNegative(CLI::Option& option);

/// Runs `run` when the command was given; its status becomes the message and the exit code.
void OnRun(CLI::App& command, const ExitCode& exit_code, std::function<arrow::Status()> run);

/// The same for a command that prints its messages itself.
void OnRunWithCode(CLI::App& command, const ExitCode& exit_code, std::function<int()> run);

/// What the client needs to talk to the server that the options, the environment and the profiles
/// choose. May ask the person at the terminal for a password.
arrow::Result<client::ClientOptions> ConnectionOf(const CommonOptions& options);

arrow::Result<std::unique_ptr<client::Client>> Connect(const CommonOptions& options);
arrow::Result<std::unique_ptr<client::Client>> Connect(const client::ClientOptions& options);

/// Runs `run` for one name after the other and, as rm does, goes on with the others after a
/// failure, unless it is that the server cannot be reached. Gives the exit code.
int ForEachName(
    const std::vector<std::string>& names, const CommonOptions& options,
    const std::function<arrow::Status(const client::Client& client, const std::string& name)>& run);

/// Says that a version is the current one again: "VERB NAME, version VERSION".
void PrintBroughtBack(std::string_view verb, const client::DatasetVersion& dataset,
                      const CommonOptions& options);

/// Writes to standard output. A reader that is gone ends the process without a word.
void Print(std::string_view text);

/// Writes "hangar: ..." as one line to standard error.
void PrintError(std::string_view sentence);

/// The same while a ProgressBar may be shown, from any thread.
void PrintNotice(std::string_view sentence);

/// The sentence of a failed status for a person at a command line.
std::string Sentence(const arrow::Status& status);

/// The width of the terminal on standard output, or 0, which is without limit, when it is not one.
int OutputWidth();

}  // namespace hangar::cli
