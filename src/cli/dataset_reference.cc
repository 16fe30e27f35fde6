#include "cli/dataset_reference.h"

#include <string_view>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/text.h"

namespace hangar::cli {
namespace {

constexpr size_t kVersionDigits = 32;

bool IsVersion(std::string_view text) {
  return text.size() == kVersionDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

DatasetReference ParseDatasetReference(const std::string& text) {
  const size_t at = text.rfind('@');
  if (at == std::string::npos || at == 0) return {text, {}};
  const std::string suffix = text.substr(at + 1);
  if (IsVersion(suffix)) return {text.substr(0, at), {.version = suffix, .as_of = {}}};
  const auto time = ParseTimestamp(suffix);
  if (!time) return {text, {}};
  return {text.substr(0, at), {.version = {}, .as_of = time}};
}

void AddVersionFlags(CLI::App& command, VersionFlags& flags) {
  CLI::Option* const version =
      command.add_option("--version", flags.version, "Exactly this version")->type_name("VERSION");
  command
      .add_option("--as-of", flags.as_of,
                  "The version that was current then: a time such as 2026-01-31T12:00:00Z, or a "
                  "date, which begins at midnight UTC")
      ->type_name("TIME")
      ->excludes(version)
      ->check([](const std::string& value) -> std::string {
        if (ParseTimestamp(value)) return "";
        return Quoted(value) + " is not a time such as 2026-01-31T12:00:00Z, nor a date";
      });
}

DatasetReference ResolveReference(const std::string& text, const VersionFlags& flags) {
  if (flags.version.empty() && flags.as_of.empty()) return ParseDatasetReference(text);
  DatasetReference reference{text, {.version = flags.version, .as_of = {}}};
  if (!flags.as_of.empty()) reference.choice.as_of = ParseTimestamp(flags.as_of);
  return reference;
}

}  // namespace hangar::cli
