#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <nlohmann/json.hpp>

#include "cli/batch_file_reader.h"
#include "cli/commands.h"
#include "cli/file_type.h"
#include "cli/json_text.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "client/client.h"
#include "files/parquet_upload.h"

namespace hangar::cli {
namespace {

struct PutCommandOptions : CommonOptions {
  std::string name;
  std::vector<std::string> files;
  ReadFileOptions read;
  std::string mode = "overwrite";
  client::PutOptions put;
};

void PrintSummary(const client::PutSummary& summary, const CommonOptions& options) {
  if (options.json()) {
    nlohmann::ordered_json object = {{"dataset", summary.dataset},
                                     {"version", summary.version},
                                     {"rows", summary.rows},
                                     {"bytes", summary.bytes}};
    if (summary.repeated) object["repeated"] = true;
    PrintJson(object);
  } else if (!options.quiet) {
    const std::string name = Printable(summary.dataset);
    Print(std::format(
        "{}: {} rows, {}, version {}\n",
        summary.repeated ? name + " was stored by an earlier upload" : "stored " + name,
        FormatCount(summary.rows), FormatBytes(summary.bytes), Printable(summary.version)));
  }
}

// A file that can be stored as it is: one Parquet file, and nothing asked of how it is encoded.
bool CanGoAsItIs(const PutCommandOptions& options) {
  std::error_code error;
  if (options.files.size() != 1 ||
      !std::filesystem::is_regular_file(options.files.front(), error)) {
    return false;
  }
  const auto type = ResolveType(options.files.front(), options.read.format);
  return type.ok() && type->format == FileFormat::kParquet && options.put.codec.empty() &&
         !options.put.level && !options.put.row_group_rows;
}

// UNIMPLEMENTED when the server takes rows alone.
arrow::Result<client::PutSummary> PutAsItIs(const PutCommandOptions& options,
                                            const client::Client& client) {
  ProgressBar bar(options.name, !options.quiet);
  int64_t size = 0;
  const client::FileSource source =
      [&]() -> arrow::Result<std::shared_ptr<arrow::io::InputStream>> {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ParquetUpload> file,
                          ParquetUpload::Open(options.files.front()));
    size = file->size_bytes();
    return file;
  };
  const client::PutFileOptions put{
      .create = options.put.create,
      .if_version = options.put.if_version,
      .upload_id = options.put.upload_id,
      .on_progress = [&](int64_t bytes) {
        bar.Update(static_cast<double>(bytes) / static_cast<double>(size), std::nullopt, bytes);
      }};
  return client.PutFile(options.name, source, put);
}

// Pipes and standard input can be read once.
bool CanBeReadAgain(const std::vector<std::string>& files) {
  return std::ranges::all_of(files, [](const std::string& file) {
    std::error_code error;
    return file != kStandardStream && std::filesystem::is_regular_file(file, error);
  });
}

arrow::Result<client::PutSummary> PutRows(const PutCommandOptions& options,
                                          const client::Client& client) {
  ARROW_ASSIGN_OR_RAISE(BatchFile input, OpenBatchFiles(options.files, options.read));
  ProgressBar bar(options.name, !options.quiet);
  client::PutOptions put = options.put;
  put.on_progress = [&](const client::PutProgress& progress) {
    bar.Update(input.fraction(), progress.rows, progress.bytes);
  };
  if (!CanBeReadAgain(options.files)) return client.Put(options.name, *input.batches, put);
  bool was_read = false;
  const client::BatchSource source =
      [&]() -> arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> {
    if (std::exchange(was_read, true)) {
      ARROW_ASSIGN_OR_RAISE(input, OpenBatchFiles(options.files, options.read));
    }
    return input.batches;
  };
  return client.Put(options.name, source, put);
}

arrow::Result<client::PutSummary> PutEitherWay(const PutCommandOptions& options,
                                               const client::Client& client) {
  if (!CanGoAsItIs(options)) return PutRows(options, client);
  auto summary = PutAsItIs(options, client);
  if (client::ErrorCode(summary.status()) != "UNIMPLEMENTED") return summary;
  return PutRows(options, client);
}

arrow::Status Run(PutCommandOptions options) {
  options.put.create = options.mode == "create";
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  ARROW_ASSIGN_OR_RAISE(const client::PutSummary summary, PutEitherWay(options, *client));
  PrintSummary(summary, options);
  return arrow::Status::OK();
}

}  // namespace

void AddPut(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<PutCommandOptions>();
  CLI::App& command = AddCommand(
      app,
      {.name = "put",
       .description = "Store files as a dataset: Parquet (one file byte for byte), Arrow, "
                      "CSV or JSON lines",
       .quiet = "Show no progress and print nothing",
       .example = "hangar put sales/2026.parquet january.csv february.csv\n"
                  "zstd -dc events.jsonl.zst | hangar put events - --format jsonl"},
      options);
  command.add_option("NAME", options->name, "The dataset; what has the name is replaced")
      ->required();
  command
      .add_option("FILE", options->files,
                  "Files of one schema, stored one after the other; - is standard input, an Arrow "
                  "stream unless --format says otherwise")
      ->required();
  LimitTo(*command.add_option("--format", options->read.format,
                              "The files' format, instead of by their extensions"),
          FormatNames());
  command
      .add_option("--null", options->read.null_texts,
                  "Text that means null in CSV, besides nothing at all; may be given again")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("TEXT");
  LimitTo(*command.add_option("--mode", options->mode, "create fails when the name is taken")
               ->capture_default_str(),
          {"overwrite", "create"});
  command.add_option("--if-version", options->put.if_version, "Replace only this version")
      ->type_name("VERSION");
  command
      .add_option("--upload-id", options->put.upload_id,
                  "Words of your choice, for an upload that may have to be tried again: what was "
                  "stored under them is not stored twice")
      ->type_name("TEXT");
  command.add_option("--codec", options->put.codec, "Of the Parquet file, for example zstd")
      ->type_name("NAME");
  command.add_option("--level", options->put.level, "Of the codec")->type_name("N");
  command
      .add_option("--row-group-rows", options->put.row_group_rows,
                  "Most rows in a row group of the Parquet file")
      ->type_name("N");
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
