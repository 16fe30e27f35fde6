#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <format>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/mutex.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"
#include "sync/sync_folder.h"
#include "sync/sync_names.h"
#include "sync/sync_plan.h"
#include "sync/sync_run.h"
#include "sync/sync_state.h"

namespace hangar::cli {
namespace {

struct SyncCommandOptions : CommonOptions {
  std::string source;
  std::string target;
  bool remove = false;
  bool force = false;
  bool dry_run = false;
  int jobs = 4;
};

std::string_view VerbOf(sync::SyncStep step, sync::SyncDirection direction, bool future) {
  const bool up = direction == sync::SyncDirection::kUp;
  switch (step) {
    case sync::SyncStep::kCopy:
      return up ? (future ? "upload" : "uploaded") : (future ? "download" : "downloaded");
    case sync::SyncStep::kCompare:
      return future ? "compare" : (up ? "uploaded" : "downloaded");
    case sync::SyncStep::kRemove:
      return future ? "remove" : "removed";
    case sync::SyncStep::kConflict:
      return "conflict";
  }
  return "";
}

// What is found and done, as it happens, and the sum of it.
class SyncReport {
 public:
  SyncReport(const SyncCommandOptions& options, const sync::SyncSides& sides,
             const sync::SyncPlan& plan)
      : options_(options),
        sides_(sides),
        all_(plan.actions.size()),
        unchanged_(plan.unchanged),
        bar_("sync", !options.quiet) {
    for (const sync::SyncAction& action : plan.actions) bytes_to_copy_ += action.bytes;
  }

  void AddBytes(int64_t bytes) {
    bytes_ += bytes;
    ShowProgress();
  }

  void Add(const sync::SyncOutcome& outcome) {
    ++done_;
    if (outcome.kind == sync::SyncOutcome::Kind::kSame) ++unchanged_;
    if (outcome.kind == sync::SyncOutcome::Kind::kConflict) ++conflicts_;
    if (outcome.kind == sync::SyncOutcome::Kind::kFailed) ++failed_;
    if (outcome.kind == sync::SyncOutcome::Kind::kDone) {
      ++(outcome.action.step == sync::SyncStep::kRemove ? removed_ : copied_);
      copied_bytes_ += outcome.action.bytes;
    }
    bar_.Hide();
    Show(outcome);
    ShowProgress();
  }

  void AddProblem(const std::string& sentence) {
    ++failed_;
    PrintError(sentence);
  }

  // Gives the exit code.
  int Finish() {
    bar_.Hide();
    const size_t left = all_ - done_;
    if (!options_.json() && !options_.quiet) {
      std::string line =
          std::format("{} {} ({}), {} removed, {} unchanged", FormatCount(copied_),
                      VerbOf(sync::SyncStep::kCopy, sides_.direction, /*future=*/false),
                      FormatBytes(copied_bytes_), FormatCount(removed_), FormatCount(unchanged_));
      if (conflicts_ > 0) line += ", " + CountOf(conflicts_, "conflict");
      if (failed_ > 0) line += std::format(", {} failed", FormatCount(failed_));
      if (left > 0) line += std::format(", {} not tried", left);
      Print(line + "\n");
    }
    return conflicts_ == 0 && failed_ == 0 && left == 0 ? 0 : 1;
  }

 private:
  // A line that is redrawn on a terminal, and a new one every half minute in a log.
  void ShowProgress() {
    const double whole = static_cast<double>(std::max<int64_t>(bytes_to_copy_, 1));
    const double fraction = std::min(1.0, static_cast<double>(bytes_) / whole);
    bar_.SetLabel(std::format("sync {} of {}", done_, all_));
    bar_.Update(fraction, std::nullopt, bytes_);
    const auto now = std::chrono::steady_clock::now();
    if (options_.quiet || IsTerminal(STDERR_FILENO) || now - logged_ < kLogEvery) return;
    logged_ = now;
    PrintError(std::format("{} of {} files, {:.0f} % of {}", done_, all_, 100 * fraction,
                           FormatBytes(bytes_to_copy_)));
  }

  void Show(const sync::SyncOutcome& outcome) const {
    if (options_.json()) {
      PrintJson(OutcomeJson(outcome));
    } else if (!outcome.error.ok()) {
      PrintError(Sentence(outcome.error));
    } else if (!options_.quiet && outcome.kind == sync::SyncOutcome::Kind::kDone) {
      Print(std::format("{} {}\n", VerbOf(outcome.action.step, sides_.direction, /*future=*/false),
                        Printable(outcome.action.path)));
    }
  }

  nlohmann::ordered_json OutcomeJson(const sync::SyncOutcome& outcome) const {
    constexpr std::array kNames = {"done", "same", "conflict", "failed"};
    nlohmann::ordered_json object = {
        {"action", VerbOf(outcome.action.step, sides_.direction, /*future=*/true)},
        {"file", outcome.action.path},
        {"dataset", sync::DatasetAt(sides_.prefix, outcome.action.path)},
        {"bytes", outcome.action.bytes},
        {"outcome", kNames[static_cast<size_t>(outcome.kind)]}};
    if (!outcome.error.ok()) object["problem"] = Sentence(outcome.error);
    return object;
  }

  static constexpr auto kLogEvery = std::chrono::seconds(30);

  const SyncCommandOptions& options_;
  const sync::SyncSides& sides_;
  const size_t all_;
  size_t done_ = 0;
  int64_t unchanged_ = 0;
  int64_t bytes_to_copy_ = 0;
  int64_t bytes_ = 0;
  int64_t copied_ = 0;
  int64_t copied_bytes_ = 0;
  int64_t removed_ = 0;
  int64_t conflicts_ = 0;
  int64_t failed_ = 0;
  std::chrono::steady_clock::time_point logged_ = std::chrono::steady_clock::now();
  ProgressBar bar_;
};

struct RemoteContents {
  sync::RemoteFiles files;
  std::vector<std::string> problems;
};

// A name from the server becomes a path only when it is a dataset's.
arrow::Result<RemoteContents> ListRemote(const client::Client& client, const std::string& prefix) {
  RemoteContents contents;
  const std::string start = prefix.empty() ? "" : prefix + "/";
  const auto listing = client.List({.prefix = start});
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, listing->Next());
    if (!dataset) return contents;
    if (!dataset->name.starts_with(start) || !sync::IsParquetName(dataset->name)) continue;
    const std::string path = dataset->name.substr(start.size());
    const arrow::Status name = sync::CheckSyncPath(path);
    if (name.ok()) {
      contents.files[path] = {.version = dataset->version, .bytes = dataset->bytes};
    } else {
      contents.problems.push_back("the server has a dataset whose name leads nowhere: " +
                                  Quoted(dataset->name));
    }
  }
}

// A file of the same size and another time may have been touched only.
arrow::Status RecognizeTouched(const sync::SyncFolder& folder, const sync::LocalFiles& local,
                               sync::SyncedFiles* synced) {
  for (const auto& [path, file] : local) {
    const auto known = synced->find(path);
    if (known == synced->end() || known->second.local == file ||
        known->second.local.bytes != file.bytes) {
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const std::string sha256, folder.Digest(path));
    if (sha256 == known->second.sha256) known->second.local = file;
  }
  return arrow::Status::OK();
}

void PrintPlan(const sync::SyncPlan& plan, const sync::SyncSides& sides,
               const SyncCommandOptions& options) {
  for (const sync::SyncAction& action : plan.actions) {
    const std::string_view verb = VerbOf(action.step, sides.direction, true);
    if (options.json()) {
      nlohmann::ordered_json object = {{"action", verb},
                                       {"file", action.path},
                                       {"dataset", sync::DatasetAt(sides.prefix, action.path)},
                                       {"bytes", action.bytes}};
      if (!action.reason.empty()) object["problem"] = action.reason;
      PrintJson(object);
    } else if (action.step == sync::SyncStep::kConflict) {
      Print(std::format("would leave {}, which {}\n", Printable(action.path), action.reason));
    } else {
      Print(std::format("would {} {}\n", verb, Printable(action.path)));
    }
  }
}

// What a signal has to leave in order.
class Unfinished {
 public:
  explicit Unfinished(const sync::SyncFolder& folder) : folder_(folder) {}

  void Set(sync::SyncRun* run) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    run_ = run;
  }
  void Save() HANGAR_EXCLUDES(mutex_) {
    folder_.EndIncoming();
    const MutexLock lock(mutex_);
    // Where that fails, the next sync compares more.
    if (run_ != nullptr) std::ignore = run_->SaveState();
  }

 private:
  const sync::SyncFolder& folder_;
  Mutex mutex_;
  sync::SyncRun* run_ HANGAR_GUARDED_BY(mutex_) = nullptr;
};

// Gives the exit code.
arrow::Result<int> Sync(const SyncCommandOptions& options, const sync::SyncSides& sides,
                        const client::ClientOptions& connection, sync::SyncFolder& folder) {
  ARROW_ASSIGN_OR_RAISE(sync::SyncState state,
                        sync::SyncState::Load(folder.state_path(), connection.uri, sides.prefix));
  Unfinished unfinished(folder);
  // Before the client's threads, which inherit that the signals are the guard's.
  const InterruptGuard guard([&] { unfinished.Save(); });
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(connection));
  ARROW_ASSIGN_OR_RAISE(const RemoteContents remote, ListRemote(*client, sides.prefix));
  ARROW_ASSIGN_OR_RAISE(const sync::FolderContents local, folder.Scan());
  ARROW_RETURN_NOT_OK(RecognizeTouched(folder, local.files, &state.files));
  const sync::SyncOptions wanted{
      .direction = sides.direction, .remove = options.remove, .force = options.force};
  const sync::SyncPlan plan = sync::PlanSync(wanted, local.files, remote.files, state.files);
  if (options.dry_run) {
    PrintPlan(plan, sides, options);
    return 0;
  }
  SyncReport report(options, sides, plan);
  const bool down = sides.direction == sync::SyncDirection::kDown;
  for (const std::string& problem : down ? remote.problems : local.problems) {
    report.AddProblem(problem);
  }
  sync::SyncRun run(
      {.options = wanted, .prefix = sides.prefix, .connection = connection, .jobs = options.jobs},
      folder, state, local.files,
      {.on_bytes = [&](int64_t bytes) { report.AddBytes(bytes); },
       .on_outcome = [&](const sync::SyncOutcome& outcome) { report.Add(outcome); }});
  unfinished.Set(&run);
  const arrow::Status status = run.Run(plan.actions);
  unfinished.Set(nullptr);
  const int exit_code = report.Finish();
  ARROW_RETURN_NOT_OK(status);
  return exit_code;
}

arrow::Result<int> Run(const SyncCommandOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const sync::SyncSides sides,
                        sync::ParseSyncSides(options.source, options.target));
  ARROW_ASSIGN_OR_RAISE(const client::ClientOptions connection, ConnectionOf(options));
  const bool down = sides.direction == sync::SyncDirection::kDown;
  ARROW_ASSIGN_OR_RAISE(const auto folder,
                        sync::SyncFolder::Open(sides.folder, /*make=*/down && !options.dry_run));
  if (!options.dry_run) ARROW_RETURN_NOT_OK(folder->Lock());
  return Sync(options, sides, connection, *folder);
}

}  // namespace

void AddSync(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<SyncCommandOptions>();
  CLI::App& command = AddCommand(
      app,
      {.name = "sync",
       .description = "Copy what differs between a folder and the datasets under a name",
       .quiet = "Show no progress and print problems only",
       .example = "hangar sync ./exports sales        # exports/a.parquet becomes sales/a.parquet\n"
                  "hangar sync sales ./copy --delete"},
      options);
  command
      .add_option("SOURCE", options->source,
                  "A folder, which begins with ./ or /, or the beginning of names, up to a slash; "
                  "Parquet files are copied byte for byte")
      ->required()
      ->type_name("FILE");
  command.add_option("TARGET", options->target, "The other one of the two")
      ->required()
      ->type_name("FILE");
  command.add_flag("--delete", options->remove,
                   "Remove from TARGET what an earlier sync put there and SOURCE has no more");
  command.add_flag("--force", options->force,
                   "Also replace, and with --delete remove, what changed in TARGET meanwhile or "
                   "was never put there by a sync");
  command.add_flag("--dry-run", options->dry_run, "Print what would be done");
  command
      .add_option("--jobs", options->jobs, "Copy so many at a time, each over its own connection")
      ->check(CLI::Range(1, 64).description(""))
      ->capture_default_str()
      ->type_name("N");
  OnRunWithCode(command, exit_code, [options] {
    const auto code = Run(*options);
    if (code.ok()) return *code;
    PrintError(Sentence(code.status()));
    return 1;
  });
}

}  // namespace hangar::cli
