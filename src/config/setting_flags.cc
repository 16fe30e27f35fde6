#include "config/setting_flags.h"

#include <cstdlib>
#include <format>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace hangar {
namespace {

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// What help shows for the value, and what completions know it by.
std::string PlaceholderOf(const Setting& setting) {
  switch (setting.form) {
    case SettingForm::kFile:
      return "FILE";
    case SettingForm::kFolder:
      return "DIR";
    case SettingForm::kChoice:
      return std::string(setting.choices);
    default:
      return "";
  }
}

}  // namespace

std::shared_ptr<SettingSources> AddSettingFlags(CLI::App& command) {
  auto sources = std::make_shared<SettingSources>();
  sources->environment = FromEnvironment;
  for (const Setting& setting : ServeSettings()) {
    const std::string help =
        std::format("{} [{}, or {}]", setting.help, setting.default_text(), setting.environment());
    auto* option =
        command.add_option(setting.flag(), sources->flags[std::string(setting.name)], help);
    option->group(kSettingsGroup);
    option->type_name(PlaceholderOf(setting));
    option->expected(setting.form == SettingForm::kSwitch ? 0 : 1, 1);
    option->multi_option_policy(setting.repeatable() ? CLI::MultiOptionPolicy::TakeAll
                                                     : CLI::MultiOptionPolicy::TakeLast);
  }
  command
      .add_option("--config", sources->file,
                  "TOML file with these settings (data = \"...\", log_level = \"...\"); the "
                  "environment and flags go over it")
      ->envname("HANGAR_CONFIG")
      ->type_name("FILE");
  return sources;
}

}  // namespace hangar
