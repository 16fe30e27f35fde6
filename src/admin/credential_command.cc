#include "admin/credential_command.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <format>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/text.h"
#include "config/load.h"

namespace hangar {
namespace {

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

const Setting& SettingOf(std::string_view name) {
  return *std::ranges::find(ServeSettings(), name, &Setting::name);
}

// Bytes of UTF-8 that begin a character.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::shared_ptr<CredentialFileChoice> CredentialFileChoice::AddTo(CLI::App& command,
                                                                  std::string_view setting) {
  auto choice = std::make_shared<CredentialFileChoice>();
  choice->setting_ = setting;
  choice->flag_ = SettingOf(setting).flag();
  command
      .add_option(choice->flag_, choice->path_,
                  std::format("The file [what the server has by --config, or {}]",
                              SettingOf(setting).environment()))
      ->type_name("FILE");
  command.add_option("--config", choice->config_, "The server's configuration file")
      ->envname("HANGAR_CONFIG")
      ->type_name("FILE");
  return choice;
}

arrow::Result<std::string> CredentialFileChoice::Path() const {
  SettingSources sources{.file = config_, .environment = FromEnvironment};
  if (path_) sources.flags[setting_] = {*path_};
  // What else is wrong with the settings, or not there yet, is the server's concern.
  const LoadedSettings settings = LoadSettings(sources);
  const Access& access = settings.options.access;
  const std::string& path = setting_ == "token_file" ? access.token_file : access.user_file;
  if (!path.empty()) return path;
  if (!settings.problems.empty()) {
    return MakeError(ErrorKind::kFailedPrecondition, settings.problems.front().ToString());
  }
  return Error(ErrorKind::kFailedPrecondition,
               "no file is named: give {} FILE, set {}, or name with --config a file with '{}'",
               flag_, SettingOf(setting_).environment(), setting_);
}

void OnRun(CLI::App& command, const std::function<void(int exit_code)>& set_exit_code,
           std::function<arrow::Status()> run) {
  command.callback([set_exit_code, run = std::move(run)] {
    const arrow::Status status = run();
    if (!status.ok()) {
      const std::string sentence =
          HasErrorKind(status) ? status.message() : status.ToStringWithoutContextLines();
      std::fprintf(stderr, "hangar: %s\n", sentence.c_str());
    }
    set_exit_code(status.ok() ? 0 : 1);
  });
}

std::shared_ptr<std::string> AddOutputOption(CLI::App& command) {
  auto output = std::make_shared<std::string>("text");
  command.add_option("--output", *output, "Form of what is printed [text]")
      ->type_name("text|json")
      ->check([](const std::string& value) -> std::string {
        // Not CLI::IsMember, which puts its values into the type's name, and so into completions.
        return value == "text" || value == "json" ? "" : Quoted(value) + " is not text or json";
      });
  return output;
}

void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - WidthOf(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }
}

}  // namespace hangar
