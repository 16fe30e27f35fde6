#pragma once

#include <memory>

#include "config/load.h"

namespace CLI {
class App;
}

namespace hangar {

/// The heading of these flags in a command's help.
inline constexpr char kSettingsGroup[] = "SETTINGS";

/// Gives a command --config and a flag for each setting. The sources, which the environment belongs
/// to, are complete when the command runs.
std::shared_ptr<SettingSources> AddSettingFlags(CLI::App& command);

}  // namespace hangar
