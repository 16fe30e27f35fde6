#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// Adds the commands that work on the server's own files rather than through a door: `hangar
/// token`, `hangar user`. `set_exit_code` is called when a command has run: with 0 when it did what
/// was asked, 1 after a failure, 2 when it was asked for something that cannot be.
void AddAdminCommands(CLI::App& app, std::function<void(int exit_code)> set_exit_code);

}  // namespace hangar
