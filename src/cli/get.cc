#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <arrow/buffer.h>
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

// The stored file can be had as it is: as Parquet, with nothing left out or asked of the way.
bool CanComeAsItIs(const GetCommandOptions& options, const Target& target) {
  return target.type.format == FileFormat::kParquet && options.columns.empty() &&
         options.get.offset == 0 && !options.get.limit && options.get.compression.empty();
}

// Errors of a server that does not give this caller the file as it is, but maybe its rows.
bool MayGiveRows(const arrow::Status& status) {
  const std::string_view code = client::ErrorCode(status);
  return code == "UNIMPLEMENTED" || code == "PERMISSION_DENIED";
}

// What has been begun before there is a client, because it has to come before its threads.
struct Output {
  Target target;
  std::unique_ptr<Download> download;  // Null for standard output.

  bool to_file() const { return download != nullptr; }

  arrow::Result<std::shared_ptr<arrow::io::OutputStream>> stream() const {
    if (to_file()) return download->stream();
    return OpenStandardOutput();
  }

  // Gives a file its name.
  arrow::Status Finish(arrow::io::OutputStream& stream) const {
    return to_file() ? download->Commit() : CannotWrite(target.path, stream.Close());
  }
};

arrow::Status WriteBlocks(const client::FileStream& file, const GetCommandOptions& options,
                          arrow::io::OutputStream& out, const std::string& path) {
  ProgressBar bar(options.name, !options.quiet);
  int64_t bytes = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto block, file.blocks->Next());
    if (block == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(CannotWrite(path, out.Write(block)));
    bytes += block->size();
    bar.Update(static_cast<double>(bytes) / static_cast<double>(file.info.bytes), std::nullopt,
               bytes);
  }
}

arrow::Status WriteRows(const client::DatasetStream& stream, const GetCommandOptions& options,
                        const std::shared_ptr<arrow::io::OutputStream>& out, const Target& target) {
  ARROW_ASSIGN_OR_RAISE(const auto writer,
                        BatchFileWriter::Open(target.type, stream.batches->schema(), out));
  return CopyBatches(stream, options, *writer, target.path);
}

// What was written to `output`.
arrow::Result<client::DatasetInfo> Fetch(const client::Client& client,
                                         const GetCommandOptions& options, const Output& output) {
  if (CanComeAsItIs(options, output.target)) {
    const auto file = client.GetFile(options.name, {.version = options.get.version,
                                                    .as_of = options.get.as_of,
                                                    .partitions = options.get.partitions});
    if (!file.ok() && !MayGiveRows(file.status())) return file.status();
    if (file.ok()) {
      ARROW_ASSIGN_OR_RAISE(const auto out, output.stream());
      ARROW_RETURN_NOT_OK(WriteBlocks(*file, options, *out, output.target.path));
      ARROW_RETURN_NOT_OK(output.Finish(*out));
      return client.Describe(options.name, {.version = file->info.version, .as_of = {}});
    }
  }
  client::GetOptions get = options.get;
  if (!options.columns.empty()) get.columns = options.columns;
  ARROW_ASSIGN_OR_RAISE(const auto stream, client.Get(options.name, get));
  ARROW_ASSIGN_OR_RAISE(const auto out, output.stream());
  ARROW_RETURN_NOT_OK(WriteRows(stream, options, out, output.target));
  ARROW_RETURN_NOT_OK(output.Finish(*out));
  return stream.info;
}

arrow::Status Run(GetCommandOptions options) {
  const DatasetReference reference = ResolveReference(options.reference, options.flags);
  options.name = reference.name;
  options.get.version = reference.choice.version;
  options.get.as_of = reference.choice.as_of;
  Output output;
  ARROW_ASSIGN_OR_RAISE(output.target, TargetOf(options));
  if (output.target.path != kStandardStream) {
    ARROW_ASSIGN_OR_RAISE(output.download, Download::Open(output.target.path));
  }
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_ASSIGN_OR_RAISE(const auto info, Fetch(*client, options, output));
  if (output.to_file()) PrintSummary(info, output.target.path, options);
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
