#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/status.h>

#include "config/options.h"

namespace hangar {

/// What a setting's value is: how a file may write it, and what a shell completes.
enum class SettingForm {
  kText,    ///< A string that is taken as it stands.
  kFile,    ///< The same, naming a file,
  kFolder,  ///< or a folder.
  kChoice,  ///< One of `Setting::choices`.
  kAmount,  ///< A string with a unit: a duration, an amount of memory.
  kNumber,  ///< A number, in a file also without quotes.
  kSwitch,  ///< true or false, in a file also without quotes; as a flag alone it is true.
  kList,    ///< Strings: an array in a file, separated by commas in the environment.
};

/// One setting of the server, under its three names: `log_level` in a file, HANGAR_LOG_LEVEL in the
/// environment, --log-level as a flag.
struct Setting {
  std::string_view group;  ///< The heading that it stands under in the example and the manual.
  std::string_view name;   ///< As in a file.
  std::string_view help;
  /// The default as one would write it. Empty where it is no text or no strings, and `absence` says
  /// then what that means.
  std::string_view default_value;
  std::string_view absence;
  SettingForm form = SettingForm::kText;
  std::string_view choices;  ///< "text|json"
  /// Checks and sets; the error says what is wrong with the value, without the setting's name.
  arrow::Status (*set)(ServeOptions& options, const std::vector<std::string>& values);

  bool repeatable() const { return form == SettingForm::kList; }
  /// The default in words, as help shows it.
  std::string_view default_text() const { return absence.empty() ? default_value : absence; }
  std::string flag() const;         ///< "--log-level"
  std::string environment() const;  ///< "HANGAR_LOG_LEVEL"
};

/// All settings, in the order in which help shows them; those of a group stand together.
std::span<const Setting> ServeSettings();

/// The setting of this name, or the one whose name is nearest to it.
const Setting& NearestSetting(std::string_view name);

}  // namespace hangar
