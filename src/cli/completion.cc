#include <string>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/completion_script.h"

namespace hangar::cli {

void AddCompletion(CLI::App& app, const ExitCode& exit_code) {
  CLI::App& command =
      *app.add_subcommand("completion", "Print a script that completes commands and datasets");
  auto shell = std::make_shared<std::string>();
  LimitTo(*command.add_option("SHELL", *shell, "The shell")->required(), {"bash", "zsh", "fish"});
  command.footer("Example:\n  source <(hangar completion bash)\n  hangar completion fish | source");
  OnRun(command, exit_code, [&app, shell] {
    const Shell which = *shell == "bash"  ? Shell::kBash
                        : *shell == "zsh" ? Shell::kZsh
                                          : Shell::kFish;
    Print(CompletionScript(app, which));
    return arrow::Status::OK();
  });
}

}  // namespace hangar::cli
