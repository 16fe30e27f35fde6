#include <cstdio>
#include <cstdlib>
#include <functional>

#include "admin/admin_commands.h"
#include "app/serve_command.h"
#include "cli/command_line.h"

namespace {

void AddServerCommands(CLI::App& app, const std::function<void(int exit_code)>& set_exit_code) {
  hangar::AddServeCommand(app, set_exit_code);
  hangar::AddAdminCommands(app, set_exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  const int exit_code = hangar::cli::RunCommandLine(argc, argv, AddServerCommands);
  // All of Hangar's own is closed by now. What is left are the libraries' threads and statics,
  // whose taking down in some order at the end of main is a risk without a use.
  std::fflush(nullptr);
  std::quick_exit(exit_code);
}
