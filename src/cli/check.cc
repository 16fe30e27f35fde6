#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct CheckOptions : CommonOptions {
  std::vector<std::string> names;
};

// Prints what is found, and keeps count of it.
class CheckReport {
 public:
  explicit CheckReport(const CheckOptions& options) : options_(options) { ShowProgress(); }

  void Add(const client::CheckedDataset& checked) {
    ++datasets_;
    rows_ += std::max<int64_t>(checked.rows, 0);
    bytes_ += std::max<int64_t>(checked.bytes, 0);
    if (checked.problem) ++problems_;
    if (options_.json() || checked.problem) Show(checked);
    if (bar_) bar_->Update(std::nullopt, rows_, bytes_);
  }

  // What could not be checked at all.
  void AddFailure(const arrow::Status& status) {
    bar_.reset();
    failed_ = true;
    PrintError(Sentence(status));
    ShowProgress();
  }

  // Gives the exit code.
  int Finish() {
    bar_.reset();
    const bool nothing_to_tell = failed_ && datasets_ == 0;
    if (!options_.json() && !options_.quiet && !nothing_to_tell) {
      Print(std::format("checked {}, {}: {}\n", CountOf(datasets_, "dataset"), FormatBytes(bytes_),
                        problems_ == 0 ? "no problem found" : CountOf(problems_, "problem")));
    }
    return problems_ == 0 && !failed_ ? 0 : 1;
  }

 private:
  void ShowProgress() { bar_.emplace("checking", !options_.quiet); }

  void Show(const client::CheckedDataset& checked) {
    bar_.reset();
    if (options_.json()) {
      PrintJson(CheckedJson(checked));
    } else {
      // Most sentences name the dataset themselves.
      const bool named = checked.problem->contains(Quoted(checked.name));
      const std::string line = named ? *checked.problem : checked.name + ": " + *checked.problem;
      Print(Printable(OneLine(line)) + "\n");
    }
    ShowProgress();
  }

  static nlohmann::ordered_json CheckedJson(const client::CheckedDataset& checked) {
    nlohmann::ordered_json object = {{"dataset", checked.name},
                                     {"version", checked.version},
                                     {"rows", checked.rows},
                                     {"bytes", checked.bytes}};
    if (checked.problem) object["problem"] = *checked.problem;
    return object;
  }

  const CheckOptions& options_;
  int64_t datasets_ = 0;
  int64_t problems_ = 0;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  bool failed_ = false;
  std::optional<ProgressBar> bar_;
};

// All datasets when `name` is empty.
arrow::Status Check(const client::Client& client, const std::string& name, CheckReport* report) {
  const auto checks = client.Check(name);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto checked, checks->Next());
    if (!checked) return arrow::Status::OK();
    report->Add(*checked);
  }
}

int Run(const CheckOptions& options) {
  const auto client = Connect(options);
  if (!client.ok()) {
    PrintError(Sentence(client.status()));
    return 1;
  }
  std::vector<std::string> names = options.names;
  if (names.empty()) names.emplace_back();
  CheckReport report(options);
  for (const std::string& name : names) {
    const arrow::Status status = Check(**client, name, &report);
    if (status.ok()) continue;
    report.AddFailure(status);
    if (client::ErrorCode(status) == "UNAVAILABLE") return 1;
  }
  return report.Finish();
}

}  // namespace

void AddCheck(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App& command =
      AddCommand(app,
                 {.name = "check",
                  .description = "Let the server read whole datasets and verify what is stored",
                  .quiet = "Print the problems only",
                  .example = "hangar check\n"
                             "hangar check sales/2026.parquet"},
                 options);
  command.add_option("NAME", options->names, "The datasets; all when none is given");
  OnRunWithCode(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
