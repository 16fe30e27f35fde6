#include "admin/manual_command.h"

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "admin/manual_page.h"
#include "config/config_text.h"

namespace hangar {
namespace {

constexpr std::string_view kCommands = "hangar.1";
constexpr std::string_view kSettings = "hangar.toml.5";

}  // namespace

void AddManualCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  auto* command = app.add_subcommand("manual", "Print a page of the manual, for man");
  auto page = std::make_shared<std::string>();
  command
      ->add_option("PAGE", *page,
                   "The page: hangar.1, the commands, or hangar.toml.5, the settings")
      ->required()
      ->check([](const std::string& page_name) {
        return page_name == kCommands || page_name == kSettings ? "" : "it is no page";
      })
      ->type_name("hangar.1|hangar.toml.5");
  command->footer("Example:\n  hangar manual hangar.1 | man -l -");
  command->callback([&app, page, set_exit_code = std::move(set_exit_code)] {
    const std::string text = *page == kCommands ? CommandManual(app) : ConfigurationManual();
    std::fputs(text.c_str(), stdout);
    set_exit_code(0);
  });
}

}  // namespace hangar
