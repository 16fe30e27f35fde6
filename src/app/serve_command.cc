#include "app/serve_command.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/server_app.h"
#include "base/error.h"
#include "config/load.h"

namespace hangar {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

int Fail(const arrow::Status& status, int exit_code) {
  const std::string sentence =
      HasErrorKind(status) ? status.message() : status.ToStringWithoutContextLines();
  std::fprintf(stderr, "hangar: %s\n", sentence.c_str());
  return exit_code;
}

int Serve(const SettingSources& sources) {
  const auto options = LoadServeOptions(sources);
  if (!options.ok()) return Fail(options.status(), kExitUsage);
  const auto status = RunServer(*options);
  if (!status.ok()) return Fail(status, kExitFailure);
  return 0;
}

}  // namespace

void AddServeCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  auto* command = app.add_subcommand("serve", "Serve the datasets of a folder");
  auto sources = std::make_shared<SettingSources>();
  sources->environment = FromEnvironment;
  for (const Setting& setting : ServeSettings()) {
    const std::string help = std::string(setting.help) + " [" + std::string(setting.default_text) +
                             ", or " + setting.environment() + "]";
    auto& values = sources->flags[std::string(setting.name)];
    auto* option = command->add_option(setting.flag(), values, help);
    option->type_name("")->expected(1);
    option->multi_option_policy(setting.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                   : CLI::MultiOptionPolicy::TakeLast);
  }
  command
      ->add_option("--config", sources->file,
                   "TOML file with these settings (data = \"...\", log_level = \"...\"); the "
                   "environment and flags go over it")
      ->type_name("FILE");
  command->footer("Example:\n  hangar serve --data ./datasets --listen grpc://127.0.0.1:8815");
  command->callback(
      [sources, set_exit_code = std::move(set_exit_code)] { set_exit_code(Serve(*sources)); });
}

}  // namespace hangar
