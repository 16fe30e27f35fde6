#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// Adds `hangar serve` to the command line. `set_exit_code` is called when the command has run:
/// with 0 after a stop that was asked for, 1 after a failure, 2 for wrong settings.
void AddServeCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code);

}  // namespace hangar
