#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hangar {

/// Adds `hangar doctor`, which says whether a server would work here with its settings, a line for
/// each thing that it looks at. `set_exit_code` is called with 1 where there is a problem, else
/// with 0, warnings or not.
void AddDoctorCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code);

}  // namespace hangar
