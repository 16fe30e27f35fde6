#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <arrow/array.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "cli/batch_file_writer.h"
#include "cli/commands.h"
#include "cli/dataset_reference.h"
#include "cli/descriptor_stream.h"
#include "cli/table.h"
#include "client/client.h"
#include "text/value_text.h"

namespace hangar::cli {
namespace {

struct HeadOptions : CommonOptions {
  std::string name;
  VersionFlags flags;
  int64_t rows = 10;
  std::vector<std::string> columns;
};

arrow::Status AddRows(const arrow::RecordBatch& batch, Table* table) {
  std::vector<std::unique_ptr<ValueWriter>> writers;
  for (const auto& column : batch.columns()) {
    ARROW_ASSIGN_OR_RAISE(auto writer, MakeValueWriter(column, TextStyle::kPlain));
    writers.push_back(std::move(writer));
  }
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    std::vector<std::string> cells(writers.size());
    for (size_t i = 0; i < writers.size(); ++i) {
      const bool null = batch.column(static_cast<int>(i))->IsNull(row);
      if (null) cells[i] = "null";
      if (!null) writers[i]->Append(row, &cells[i]);
    }
    table->AddRow(std::move(cells));
  }
  return arrow::Status::OK();
}

arrow::Status PrintAsTable(arrow::RecordBatchReader& batches) {
  std::vector<TableColumn> columns;
  for (const auto& field : batches.schema()->fields()) {
    const arrow::Type::type type = field->type()->id();
    columns.push_back({field->name(), arrow::is_numeric(type) || arrow::is_decimal(type)});
  }
  Table table(std::move(columns), OutputWidth());
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, batches.Next());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(AddRows(*batch, &table));
  }
  Print(table.Render());
  return arrow::Status::OK();
}

arrow::Status PrintAsJson(arrow::RecordBatchReader& batches) {
  ARROW_ASSIGN_OR_RAISE(const auto out, OpenStandardOutput());
  ARROW_ASSIGN_OR_RAISE(const auto writer, BatchFileWriter::Open({.format = FileFormat::kJsonLines},
                                                                 batches.schema(), out));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, batches.Next());
    if (batch == nullptr) return writer->Close();
    ARROW_RETURN_NOT_OK(writer->Write(batch));
  }
}

arrow::Status Run(const HeadOptions& options) {
  const DatasetReference reference = ResolveReference(options.name, options.flags);
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options));
  client::GetOptions get;
  get.version = reference.choice.version;
  get.as_of = reference.choice.as_of;
  get.limit = options.rows;
  if (!options.columns.empty()) get.columns = options.columns;
  ARROW_ASSIGN_OR_RAISE(const auto stream, client->Get(reference.name, get));
  return options.json() ? PrintAsJson(*stream.batches) : PrintAsTable(*stream.batches);
}

}  // namespace

void AddHead(CLI::App& app, const ExitCode& exit_code) {
  auto options = std::make_shared<HeadOptions>();
  CLI::App& command = AddCommand(app,
                                 {.name = "head",
                                  .description = "Show the first rows of a dataset",
                                  .quiet = "",
                                  .example = "hangar head sales/2026.parquet -n 20"},
                                 options);
  command.add_option("NAME", options->name, kReferenceHelp)->required();
  AddVersionFlags(command, options->flags);
  RefuseNegative(*command.add_option("-n", options->rows, "How many rows")->capture_default_str());
  command.add_option("--columns", options->columns, "Only these columns, in this order")
      ->delimiter(',')
      ->type_name("A,B");
  OnRun(command, exit_code, [options] { return Run(*options); });
}

}  // namespace hangar::cli
