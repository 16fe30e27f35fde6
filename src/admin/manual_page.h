#pragma once

#include <string>

namespace CLI {
class App;
}

namespace hangar {

/// The page hangar(1) in mdoc(7): a section for each command of `app` and of its commands. What a
/// command takes of the settings is left to hangar.toml(5).
std::string CommandManual(const CLI::App& app);

}  // namespace hangar
