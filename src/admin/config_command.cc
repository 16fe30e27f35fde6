#include "admin/config_command.h"

#include <algorithm>
#include <cstdio>
#include <format>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "config/config_text.h"
#include "config/load.h"
#include "config/setting_flags.h"

namespace hangar {
namespace {

using ExitCode = std::function<void(int exit_code)>;

// As compilers say it, so that editors find the place.
std::string PlacedSentence(const SettingProblem& problem) {
  if (problem.file.empty()) return problem.sentence;
  if (problem.line == 0) return std::format("{}: {}", problem.file, problem.sentence);
  return std::format("{}:{}: {}", problem.file, problem.line, problem.sentence);
}

int PrintProblems(const LoadedSettings& settings) {
  for (const SettingProblem& problem : settings.problems) {
    std::fprintf(stderr, "hangar: %s\n", PlacedSentence(problem).c_str());
  }
  return settings.problems.empty() ? 0 : 1;
}

int Check(const std::string& file) {
  const LoadedSettings settings = LoadSettings({.file = file});
  if (PrintProblems(settings) != 0) return 1;
  const auto given = std::ranges::count_if(
      settings.values, [](const SettingValue& value) { return !value.is_default(); });
  std::printf("%s: nothing wrong, %td of %zu settings given\n", Quoted(file).c_str(), given,
              settings.values.size());
  return 0;
}

int Show(const SettingSources& sources) {
  const LoadedSettings settings = LoadSettings(sources);
  std::fputs(EffectiveConfiguration(settings).c_str(), stdout);
  return PrintProblems(settings);
}

int Example(const SettingSources& sources) {
  const LoadedSettings settings = LoadSettings(sources);
  if (PrintProblems(settings) != 0) return 1;
  std::fputs(ExampleConfiguration(settings).c_str(), stdout);
  return 0;
}

void AddCheck(CLI::App& config, const ExitCode& set_exit_code) {
  auto* command = config.add_subcommand("check", "Say everything that is wrong with a file");
  auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "The file")->required()->type_name("FILE");
  command->footer("Example:\n  hangar config check /etc/hangar/hangar.toml");
  command->callback([file, set_exit_code] { set_exit_code(Check(*file)); });
}

// A command that takes what `hangar serve` takes.
void AddWithSettings(CLI::App& config, const std::string& name, const std::string& description,
                     const std::string& footer, int (*run)(const SettingSources& sources),
                     const ExitCode& set_exit_code) {
  auto* command = config.add_subcommand(name, description);
  const auto sources = AddSettingFlags(*command);
  command->footer(footer);
  command->callback([sources, run, set_exit_code] { set_exit_code(run(*sources)); });
}

}  // namespace

void AddConfigCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  auto* config = app.add_subcommand("config", "Check and show the server's settings");
  config->require_subcommand(1);
  AddCheck(*config, set_exit_code);
  AddWithSettings(*config, "show", "Print the settings in force, and where each is from",
                  "Example:\n  hangar config show --config /etc/hangar/hangar.toml", Show,
                  set_exit_code);
  AddWithSettings(*config, "example",
                  "Print a file with every setting; what is given here is set in it",
                  "Example:\n  hangar config example --data /srv/datasets >hangar.toml", Example,
                  set_exit_code);
}

}  // namespace hangar
