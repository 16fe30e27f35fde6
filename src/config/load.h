#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "config/options.h"
#include "config/settings.h"

namespace hangar {

/// Where values come from, the later over the earlier: a TOML file, the environment, flags.
struct SettingSources {
  std::optional<std::string> file;  ///< Its path.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::map<std::string, std::vector<std::string>, std::less<>> flags;  ///< By Setting::name.
};

/// What a setting has in the end, and which source it is from.
struct SettingValue {
  const Setting* setting = nullptr;
  std::vector<std::string> texts;  ///< As they were given; one, save for a repeatable setting.
  std::string origin;              ///< "default", "line 3 of FILE", "HANGAR_GRACE" or "--grace".

  bool is_default() const { return origin == "default"; }
};

/// Something that is wrong.
struct SettingProblem {
  std::string file;  ///< Empty where it is of no file,
  int64_t line = 0;  ///< and 0 where it is of no line.
  std::string sentence;

  /// The sentence with its place before it.
  std::string ToString() const;
};

/// All that the sources say.
struct LoadedSettings {
  ServeOptions options;              ///< Without what is wrong.
  std::vector<SettingValue> values;  ///< Of every setting, in the order of ServeSettings().
  std::vector<SettingProblem> problems;
};

/// Reads all of the sources, whatever is wrong on the way. A wrong value, a key of the file that is
/// no setting (with the nearest setting) and values that do not go together are problems; what the
/// values mean on this machine (files, ports, memory) is not looked at.
LoadedSettings LoadSettings(const SettingSources& sources);

/// The options, or INVALID_ARGUMENT with the first problem in a sentence.
arrow::Result<ServeOptions> LoadServeOptions(const SettingSources& sources);

}  // namespace hangar
