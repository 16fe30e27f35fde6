#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

namespace CLI {
class App;
}

namespace hangar {

// What `hangar token` and `hangar user` share.

/// Which file a command works on: of --token-file (or another setting's flag), else what the server
/// would take by --config and the environment.
class CredentialFileChoice {
 public:
  /// Adds the options to a command. `setting` is "token_file" or "user_file".
  static std::shared_ptr<CredentialFileChoice> AddTo(CLI::App& command, std::string_view setting);

  /// FAILED_PRECONDITION when nothing names a file.
  arrow::Result<std::string> Path() const;

 private:
  std::string setting_;
  std::string flag_;
  std::optional<std::string> path_;
  std::optional<std::string> config_;
};

/// Runs `run` when the command was given: the exit code is 0, or 1 after a failure, whose sentence
/// goes to standard error.
void OnRun(CLI::App& command, const std::function<void(int exit_code)>& set_exit_code,
           std::function<arrow::Status()> run);

/// Adds --output text|json to a command that lists.
std::shared_ptr<std::string> AddOutputOption(CLI::App& command);

/// Prints rows of the same number of cells, of which the first is the heading, in columns. The
/// cells are UTF-8 without control characters.
void PrintTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace hangar
