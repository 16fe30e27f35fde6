#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// Adds `hangar user add`, `list`, `passwd` and `remove`, which work on the file of users; a
/// running server sees what they changed within a second. `set_exit_code` is called with 0, or with
/// 1 after a failure.
void AddUserCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code);

}  // namespace hangar
