#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "config/options.h"

namespace hangar {

/// One setting of the server, under its three names: `log_level` in a file, HANGAR_LOG_LEVEL in the
/// environment, --log-level as a flag.
struct Setting {
  std::string_view name;  ///< As in a file.
  std::string_view help;
  std::string_view default_text;
  bool repeatable = false;  ///< An array in a file, separated by commas in the environment.
  /// Checks and sets; the error says what is wrong with the value, without the setting's name.
  arrow::Status (*set)(ServeOptions& options, const std::vector<std::string>& values);

  std::string flag() const;         ///< "--log-level"
  std::string environment() const;  ///< "HANGAR_LOG_LEVEL"
};

/// All settings, in the order in which help shows them.
std::span<const Setting> ServeSettings();

/// Where values come from, the later over the earlier: a TOML file, the environment, flags.
struct SettingSources {
  std::optional<std::string> file;  ///< Its path.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::map<std::string, std::vector<std::string>, std::less<>> flags;  ///< By Setting::name.
};

/// INVALID_ARGUMENT naming the setting and where its wrong value stands; a key of the file that is
/// no setting is an error and names the nearest setting.
arrow::Result<ServeOptions> LoadServeOptions(const SettingSources& sources);

/// "512MiB", "4GiB", "25%", "0"; units are KiB, MiB, GiB and TiB.
arrow::Result<MemoryAmount> ParseMemoryAmount(std::string_view text);

/// "30s", "500ms", "2m", "1h".
arrow::Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace hangar
