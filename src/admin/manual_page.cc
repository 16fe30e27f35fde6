#include "admin/manual_page.h"

#include <algorithm>
#include <format>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/mdoc_text.h"
#include "config/setting_flags.h"

namespace hangar {
namespace {

constexpr std::string_view kHead = R"(.Dd $Mdocdate$
.Dt HANGAR 1
.Os
.Sh NAME
.Nm hangar
.Nd tables as Parquet files, served over Arrow Flight
.Sh SYNOPSIS
.Nm
.Ar command
.Op Ar argument ...
.Sh DESCRIPTION
.Nm
keeps tables as plain Parquet files in a folder and serves them.
.Ql hangar serve
is the server; the other commands ask a server, or look after the files that it runs with.
)";

constexpr std::string_view kTail = R"(.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/hangar/hangar.toml
what the service that the Debian package installs runs with
.It Pa /var/lib/hangar
where it keeps its datasets
.El
.Sh EXIT STATUS
0 when the command did what was asked, 1 when it failed, 2 when the command line was not
understood.
.Sh SEE ALSO
.Xr hangar.toml 5
)";

bool IsSetting(const CLI::Option& option) { return option.get_group() == kSettingsGroup; }

// "-s, --server URI", in macros.
std::string OptionHead(const CLI::Option& option) {
  std::string out = ".It";
  const std::string value = option.get_items_expected_max() > 0 && !option.get_type_name().empty()
                                ? std::format(" Ar {}", MdocWord(option.get_type_name()))
                                : "";
  std::string_view comma;
  for (const std::string& name : option.get_snames()) {
    out += std::format("{} Fl {}{}", comma, MdocText(name), value);
    comma = " ,";
  }
  for (const std::string& name : option.get_lnames()) {
    out += std::format("{} Fl \\-{}{}", comma, MdocText(name), value);
    comma = " ,";
  }
  return out + "\n";
}

std::string OptionList(const CLI::App& command) {
  std::string out;
  bool takes_settings = false;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames() == std::vector<std::string>{"help"}) continue;
    takes_settings = takes_settings || IsSetting(*option);
    if (IsSetting(*option)) continue;
    out += option->get_positional()
               ? std::format(".It Ar {}\n", MdocWord(option->get_name(/*positional=*/true)))
               : OptionHead(*option);
    out += MdocText(option->get_description()) + "\n";
  }
  if (takes_settings) {
    out += ".It Fl \\-data , \\-listen , ...\na setting:\n.Xr hangar.toml 5\nhas all of them\n";
  }
  return out.empty() ? "" : ".Bl -tag -width Ds\n" + out + ".El\n";
}

// The footer of a command's help holds its example.
std::string Example(const CLI::App& command) {
  constexpr std::string_view kHeading = "Example:\n";
  const std::string footer = command.get_footer();
  if (!footer.starts_with(kHeading)) return "";
  return ".Bd -literal -offset indent\n" + MdocLiteral(footer.substr(kHeading.size())) + ".Ed\n";
}

std::string Section(const CLI::App& command, const std::string& called) {
  std::string out;
  const auto below = command.get_subcommands([](const CLI::App*) { return true; });
  if (below.empty()) {
    out += std::format(".Ss {}\n", called);
    out += MdocText(command.get_description()) + ".\n";
    out += OptionList(command);
    out += Example(command);
  }
  for (const CLI::App* inner : below) out += Section(*inner, called + " " + inner->get_name());
  return out;
}

}  // namespace

std::string CommandManual(const CLI::App& app) {
  std::string out(kHead);
  out += ".Sh COMMANDS\n";
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    out += Section(*command, "hangar " + command->get_name());
  }
  out += kTail;
  return out;
}

}  // namespace hangar
