#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// Adds `hangar token create`, `list` and `revoke`, which work on the file of tokens; a running
/// server sees what they changed within a second. `set_exit_code` is called with 0, or with 1 after
/// a failure.
void AddTokenCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code);

}  // namespace hangar
