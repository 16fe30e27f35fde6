#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// Adds `hangar config check`, `show` and `example`. `set_exit_code` is called with 0, or with 1
/// where something is wrong with the settings, which standard error then says line by line.
void AddConfigCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code);

}  // namespace hangar
