#include "admin/doctor_command.h"

#include <algorithm>
#include <cstdio>
#include <format>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "admin/check_access_files.h"
#include "admin/check_bucket.h"
#include "admin/check_certificates.h"
#include "admin/check_data_folder.h"
#include "admin/check_listeners.h"
#include "admin/check_machine.h"
#include "admin/findings.h"
#include "config/load.h"
#include "config/setting_flags.h"
#include "s3/s3_location.h"

namespace hangar {
namespace {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kProblem:
      return "problem";
  }
  return "";
}

void CheckSettings(const LoadedSettings& settings, Findings& findings) {
  for (const SettingProblem& problem : settings.problems) {
    findings.Problem("settings", problem.ToString(), "correct it: no server starts with it");
  }
  if (!settings.problems.empty()) return;
  const auto given = std::ranges::count_if(
      settings.values, [](const SettingValue& value) { return !value.is_default(); });
  findings.Ok("settings", std::format("{} given, nothing wrong with them", given));
}

Findings Examine(const SettingSources& sources) {
  Findings findings;
  const LoadedSettings settings = LoadSettings(sources);
  CheckSettings(settings, findings);
  CheckListeners(settings.options, findings);
  CheckCertificates(settings.options.tls, findings);
  CheckAccessFiles(settings.options.access, findings);
  if (IsS3Uri(settings.options.data)) {
    CheckBucket(settings.options, findings);
  } else {
    CheckDataFolder(settings.options.data, findings);
  }
  CheckMachine(settings.options, findings);
  return findings;
}

void PrintText(const Findings& findings) {
  for (const Finding& finding : findings.all()) {
    std::string line =
        std::format("{:<8} {:<12} {}\n", VerdictName(finding.verdict), finding.check, finding.text);
    if (!finding.advice.empty()) line += std::format("{:21} -> {}\n", "", finding.advice);
    std::fputs(line.c_str(), stdout);
  }
}

void PrintJson(const Findings& findings) {
  for (const Finding& finding : findings.all()) {
    const nlohmann::ordered_json line = {{"verdict", VerdictName(finding.verdict)},
                                         {"check", finding.check},
                                         {"finding", finding.text},
                                         {"advice", finding.advice}};
    std::printf("%s\n",
                line.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace)
                    .c_str());
  }
}

}  // namespace

void AddDoctorCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  auto* command = app.add_subcommand(
      "doctor", "Say whether a server would work here, and what to do where not");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print a JSON object for each thing that was looked at");
  const auto sources = AddSettingFlags(*command);
  command->footer("Example:\n  hangar doctor --config /etc/hangar/hangar.toml");
  command->callback([sources, json, set_exit_code = std::move(set_exit_code)] {
    const Findings findings = Examine(*sources);
    *json ? PrintJson(findings) : PrintText(findings);
    set_exit_code(findings.has_problem() ? 1 : 0);
  });
}

}  // namespace hangar
