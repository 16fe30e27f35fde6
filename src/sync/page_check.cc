#include "sync/page_check.h"

#include <string_view>

#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar::sync {
namespace {

void ReadAllPages(const std::string& path) {
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  properties.enable_buffered_stream();  // Else a column chunk is read as a whole.
  properties.set_buffer_size(256 << 10);
  const auto file = parquet::ParquetFileReader::OpenFile(path, /*memory_map=*/false, properties);
  const auto metadata = file->metadata();
  for (int group = 0; group < metadata->num_row_groups(); ++group) {
    const auto row_group = file->RowGroup(group);
    for (int column = 0; column < metadata->num_columns(); ++column) {
      const auto pages = row_group->GetColumnPageReader(column);
      while (pages->NextPage() != nullptr) {
      }
    }
  }
}

}  // namespace

arrow::Status CheckPages(const std::string& path) {
  try {
    ReadAllPages(path);
  } catch (const parquet::ParquetStatusException& error) {
    if (!error.status().IsNotImplemented()) {
      return Error(ErrorKind::kDataLoss, "{} did not arrive whole: {}", Quoted(path),
                   error.status().message());
    }
  } catch (const parquet::ParquetException& error) {
    const std::string_view what = error.what();
    // Its kinds are told apart by their texts only.
    if (!what.contains("NYI") && !what.contains("ncrypt") && !what.contains("upported")) {
      return Error(ErrorKind::kDataLoss, "{} did not arrive whole: {}", Quoted(path), what);
    }
  }
  return arrow::Status::OK();
}

}  // namespace hangar::sync
