#pragma once

#include <functional>

namespace CLI {
class App;
}  // namespace CLI

namespace hangar::cli {

/// Adds commands that live outside of this folder. A command runs in its CLI11 callback and hands
/// the process's exit code to `set_exit_code`.
using AddCommands =
    std::function<void(CLI::App& app, std::function<void(int exit_code)> set_exit_code)>;

/// The whole command line: parses the arguments, runs the command, returns the exit code: 0 when it
/// did what was asked, 1 when it failed, 2 when it was not understood. Errors are one sentence on
/// standard error.
int RunCommandLine(int argc, char** argv, const AddCommands& add_commands = {});

}  // namespace hangar::cli
