#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

namespace hangar::cli {

enum class FileFormat { kParquet, kArrowFile, kArrowStream, kCsv, kTsv, kJsonLines };
enum class FileCompression { kNone, kGzip, kZstd };

/// How a table is kept in a file.
struct FileType {
  FileFormat format = FileFormat::kParquet;
  FileCompression compression = FileCompression::kNone;  ///< Of the file as a whole; text only.

  bool operator==(const FileType&) const = default;
};

/// The values of --format: "parquet", "arrow", "arrows", "csv", "tsv", "jsonl".
std::vector<std::string> FormatNames();

/// The type by the name's extension, whatever its case: .parquet .arrow .feather .ipc .arrows .csv
/// .tsv .jsonl .ndjson .json, the text ones also with .gz or .zst behind. nullopt for any other.
std::optional<FileType> TypeOfName(std::string_view file_name);

/// The type of a file: `format` (one of FormatNames) when it is not empty, else by the extension.
/// INVALID_ARGUMENT that names the file and --format otherwise.
arrow::Result<FileType> ResolveType(const std::string& file_name, const std::string& format);

/// True for the formats that are not text.
bool IsBinary(const FileType& type);

}  // namespace hangar::cli
