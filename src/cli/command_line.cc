#include "cli/command_line.h"

#include <cstdio>
#include <format>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "version.h"

namespace hangar::cli {
namespace {

constexpr char kFooter[] =
    "The server is --server URI or that of --profile NAME, else the environment's HANGAR_SERVER or "
    "HANGAR_PROFILE,\nelse the profile that \"hangar login\" stored, else "
    "grpc://127.0.0.1:8815.\n"
    "Exit codes: 0 done, 1 failed, 2 the command line was not understood.\n\n"
    "Example:\n"
    "  hangar serve &\n"
    "  hangar put sales/2026.parquet sales.csv\n"
    "  hangar ls\n"
    "  hangar get sales/2026.parquet -o copy.parquet\n";

using Add = void(CLI::App& app, const ExitCode& exit_code);

void AddAllCommands(CLI::App& app, const ExitCode& exit_code, const AddCommands& add_commands) {
  // Whatever has been added since the last call stands under this title in the help.
  const auto group_new = [&app](const std::string& title) {
    for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      if (command->get_group() == "SUBCOMMANDS") command->group(title);
    }
  };
  if (add_commands) add_commands(app, exit_code);
  group_new("Server");
  for (Add* add : {AddLs, AddInfo, AddSchema, AddHead, AddPut, AddGet, AddSync, AddMv, AddRm,
                   AddUndrop, AddTrash, AddVersions, AddRestore, AddCheck}) {
    add(app, exit_code);
  }
  group_new("Datasets");
  for (Add* add : {AddLogin, AddLogout, AddProfiles, AddActions, AddCompletion}) {
    add(app, exit_code);
  }
  group_new("Connections");
}

// "hangar put" for an error in the arguments of put.
std::string CommandName(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app.get_name()
                        : std::format("{} {}", app.get_name(), parsed.front()->get_name());
}

int ExitOnParseError(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  // --help and --version arrive here too, as "errors" of exit code 0.
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
  } else if (app.get_subcommands().empty() && error.get_name() == "RequiredError") {
    PrintError(std::format("{} is not a command (hangar --help lists them)", Quoted(argv[1])));
  } else {
    PrintError(std::format("{} ({} --help tells more)", error.what(), CommandName(app)));
  }
  return 2;
}

}  // namespace

int RunCommandLine(int argc, char** argv, const AddCommands& add_commands) {
  CLI::App app{"Hangar keeps tables as Parquet files and serves them over Arrow Flight.", "hangar"};
  int exit_code = 0;
  app.set_version_flag("--version", std::format("hangar {}", kVersion), "Print the version");
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->enable_footer_formatting(false);  // It would take the indentation away.
  AddAllCommands(app, [&](int code) { exit_code = code; }, add_commands);
  // What the libraries below throw (out of memory, above all) ends here rather than in a trace.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExitOnParseError(app, error, argc, argv);
  } catch (const std::exception& error) {
    PrintError(error.what());
    return 1;
  }
  return exit_code;
}

}  // namespace hangar::cli
