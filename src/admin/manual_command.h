#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// Adds `hangar manual`, which prints the manual's pages: hangar(1), made of the help of every
/// command of `app`, and hangar.toml(5), made of the table of settings.
void AddManualCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code);

}  // namespace hangar
