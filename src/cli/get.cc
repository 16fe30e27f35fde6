#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/batch_file_reader.h"
#include "cli/batch_file_writer.h"
#include "cli/commands.h"
#include "cli/dataset_reference.h"
#include "cli/descriptor_stream.h"
#include "cli/download.h"
#include "cli/file_type.h"
#include "cli/json_text.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"

namespace hangar::cli {
namespace {

struct GetCommandOptions : CommonOptions {
  std::string reference;
  VersionFlags flags;
  std::string name;  // As `reference` has it.
  std::string out;
  std::string format;
  std::vector<std::string> columns;
  client::GetOptions get;
};

struct Target {
  std::string path;  // "-" for standard output.
  FileType type;
};

// The file is named like the dataset's last segment unless -o names it or a folder for it.
arrow::Result<Target> TargetOf(const GetCommandOptions& options) {
  Target target{options.out, {}};
  if (options.out == kStandardStream) {
    if (options.format.empty()) {
      target.type.format = FileFormat::kArrowStream;
    } else {
      ARROW_ASSIGN_OR_RAISE(target.type, ResolveType("", options.format));
    }
    if (IsBinary(target.type) && IsTerminal(STDOUT_FILENO)) {
      return MakeError(ErrorKind::kInvalidArgument,
                       "this format would garble the terminal: add --format csv or jsonl, or "
                       "redirect standard output");
    }
    return target;
  }
  std::error_code error;
  if (options.out.empty() || std::filesystem::is_directory(options.out, error)) {
    const std::string last = options.name.substr(options.name.rfind('/') + 1);
    const bool telling = TypeOfName(last).has_value() || !options.format.empty();
    target.path = std::filesystem::path(options.out) / (telling ? last : last + ".parquet");
  }
  ARROW_ASSIGN_OR_RAISE(target.type, ResolveType(target.path, options.format));
  return target;
}

arrow::Status CopyBatches(const client::DatasetStream& stream, const GetCommandOptions& options,
                          BatchFileWriter& writer, const std::string& path) {
  ProgressBar bar(options.name,
                  !options.quiet && !(path == kStandardStream && IsTerminal(STDOUT_FILENO)));
  int64_t rows = 0;
  int64_t bytes = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, stream.batches->Next());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(CannotWrite(path, writer.Write(batch)));
    rows += batch->num_rows();
    bytes += arrow::util::ReferencedBufferSize(*batch).ValueOr(0);
    const auto whole = static_cast<double>(stream.info.rows);
    bar.Update(whole > 0 ? std::optional(static_cast<double>(rows) / whole) : std::nullopt, rows,
               bytes);
  }
  return CannotWrite(path, writer.Close());
}

void PrintSummary(const client::DatasetInfo& info, const std::string& path,
                  const CommonOptions& options) {
  if (options.json()) {
    PrintJson(
        {{"dataset", info.name}, {"version", info.version}, {"rows", info.rows}, {"file", path}});
  } else if (!options.quiet) {
    Print(std::format("wrote {}: {} rows of version {}\n", Printable(path), FormatCount(info.rows),
                      Printable(info.version)));
  }
}

arrow::Status Run(GetCommandOptions options) {
  const DatasetReference reference = ResolveReference(options.reference, options.flags);
  options.name = reference.name;
  options.get.version = reference.choice.version;
  options.get.as_of = reference.choice.as_of;
  ARROW_ASSIGN_OR_RAISE(const Target target, TargetOf(options));
  const bool to_file = target.path != kStandardStream;
  // First of all, because it has to come before the client's threads.
  std::unique_ptr<Download> download;
  if (to_file) {
    ARROW_ASSIGN_OR_RAISE(download, Download::Open(target.path));
  }
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  client::GetOptions get = options.get;
  if (!options.columns.empty()) get.columns = options.columns;
  ARROW_ASSIGN_OR_RAISE(const auto stream, client->Get(options.name, get));
  std::shared_ptr<arrow::io::OutputStream> out;
  if (to_file) {
    out = download->stream();
  } else {
    ARROW_ASSIGN_OR_RAISE(out, OpenStandardOutput());
  }
  ARROW_ASSIGN_OR_RAISE(const auto writer,
                        BatchFileWriter::Open(target.type, stream.batches->schema(), out));
  ARROW_RETURN_NOT_OK(CopyBatches(stream, options, *writer, target.path));
  if (!to_file) return CannotWrite(target.path, out->Close());
  ARROW_RETURN_NOT_OK(download->Commit());
  PrintSummary(stream.info, target.path, options);
  return arrow::Status::OK();
}

void AddReadOptions(CLI::App& command, GetCommandOptions& options) {
  command.add_option("--columns", options.columns, "Only these columns, in this order")
      ->delimiter(',')
      ->type_name("A,B");
  RefuseNegative(
      *command.add_option("--offset", options.get.offset, "Leave out so many rows at the start"));
  RefuseNegative(*command.add_option("--limit", options.get.limit, "At most so many rows"));
  command
      .add_option("--partitions", options.get.partitions,
                  "Read so many parts in parallel, each over a connection of its own")
      ->check(CLI::Range(1, 64).description(""))
      ->capture_default_str()
      ->type_name("N");
  AddVersionFlags(command, options.flags);
  LimitTo(*command.add_option("--compression", options.get.compression, "On the wire"),
          {"none", "lz4", "zstd"});
}

}  // namespace

void AddGet(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<GetCommandOptions>();
  CLI::App& command = AddCommand(
      app,
      {.name = "get",
       .description = "Write a dataset to a file: Parquet, Arrow, CSV or JSON lines",
       .quiet = "Show no progress and print nothing",
       .example = "hangar get sales/2026.parquet\n"
                  "hangar get sales/2026.parquet --columns region,amount -o amounts.csv\n"
                  "hangar get sales/2026.parquet -o - --format jsonl | head"},
      options);
  command.add_option("NAME", options->reference, kReferenceHelp)->required();
  command
      .add_option("-o,--out", options->out,
                  "The file, or a folder for it; - is standard output, an Arrow stream unless "
                  "--format says otherwise. Without it: the last segment of NAME, in this folder, "
                  "with .parquet added if its extension tells no format")
      ->type_name("FILE");
  LimitTo(*command.add_option("--format", options->format,
                              "The file's format, instead of by its extension"),
          FormatNames());
  AddReadOptions(command, *options);
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
