#include <cstdio>
#include <cstdlib>

#include "app/serve_command.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  const int exit_code = hangar::cli::RunCommandLine(argc, argv, hangar::AddServeCommand);
  // All of Hangar's own is closed by now. What is left are the libraries' threads and statics,
  // whose taking down in some order at the end of main is a risk without a use.
  std::fflush(nullptr);
  std::quick_exit(exit_code);
}
