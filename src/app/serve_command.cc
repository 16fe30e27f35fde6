#include "app/serve_command.h"

#include <cstdio>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/server_app.h"
#include "base/error.h"
#include "config/load.h"
#include "config/setting_flags.h"

namespace hangar {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

int Fail(const arrow::Status& status, int exit_code) {
  const std::string sentence =
      HasErrorKind(status) ? status.message() : status.ToStringWithoutContextLines();
  std::fprintf(stderr, "hangar: %s\n", sentence.c_str());
  return exit_code;
}

int Serve(const SettingSources& sources) {
  const auto options = LoadServeOptions(sources);
  if (!options.ok()) return Fail(options.status(), kExitUsage);
  const auto status = RunServer(*options, [&sources] { return LoadServeOptions(sources); });
  if (!status.ok()) return Fail(status, kExitFailure);
  return 0;
}

}  // namespace

void AddServeCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  auto* command = app.add_subcommand("serve", "Serve the datasets of a folder");
  const auto sources = AddSettingFlags(*command);
  command->footer("Example:\n  hangar serve --data ./datasets --listen grpc://127.0.0.1:8815");
  command->callback(
      [sources, set_exit_code = std::move(set_exit_code)] { set_exit_code(Serve(*sources)); });
}

}  // namespace hangar
