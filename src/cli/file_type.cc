#include "cli/file_type.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "base/text.h"

namespace hangar::cli {
namespace {

struct NamedFormat {
  std::string_view name;
  FileFormat format;
};

constexpr std::array kFormats = {NamedFormat{"parquet", FileFormat::kParquet},
                                 NamedFormat{"arrow", FileFormat::kArrowFile},
                                 NamedFormat{"arrows", FileFormat::kArrowStream},
                                 NamedFormat{"csv", FileFormat::kCsv},
                                 NamedFormat{"tsv", FileFormat::kTsv},
                                 NamedFormat{"jsonl", FileFormat::kJsonLines}};

constexpr std::array kExtensions = {NamedFormat{".parquet", FileFormat::kParquet},
                                    NamedFormat{".arrow", FileFormat::kArrowFile},
                                    NamedFormat{".feather", FileFormat::kArrowFile},
                                    NamedFormat{".ipc", FileFormat::kArrowFile},
                                    NamedFormat{".arrows", FileFormat::kArrowStream},
                                    NamedFormat{".csv", FileFormat::kCsv},
                                    NamedFormat{".tsv", FileFormat::kTsv},
                                    NamedFormat{".jsonl", FileFormat::kJsonLines},
                                    NamedFormat{".ndjson", FileFormat::kJsonLines},
                                    NamedFormat{".json", FileFormat::kJsonLines}};

std::string Lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Takes the extension off the name when there is one.
FileCompression TakeCompression(std::string* name) {
  const auto take = [&](std::string_view extension) {
    if (!name->ends_with(extension)) return false;
    name->resize(name->size() - extension.size());
    return true;
  };
  if (take(".gz")) return FileCompression::kGzip;
  if (take(".zst")) return FileCompression::kZstd;
  return FileCompression::kNone;
}

}  // namespace

std::vector<std::string> FormatNames() {
  std::vector<std::string> names;
  for (const NamedFormat& format : kFormats) names.emplace_back(format.name);
  return names;
}

bool IsBinary(const FileType& type) {
  return type.format == FileFormat::kParquet || type.format == FileFormat::kArrowFile ||
         type.format == FileFormat::kArrowStream || type.compression != FileCompression::kNone;
}

std::optional<FileType> TypeOfName(std::string_view file_name) {
  std::string name = Lowered(file_name);
  const FileCompression compression = TakeCompression(&name);
  for (const NamedFormat& extension : kExtensions) {
    if (!name.ends_with(extension.name)) continue;
    const FileType type{extension.format, compression};
    const bool text = !IsBinary({extension.format, FileCompression::kNone});
    if (compression != FileCompression::kNone && !text) return std::nullopt;
    return type;
  }
  return std::nullopt;
}

arrow::Result<FileType> ResolveType(const std::string& file_name, const std::string& format) {
  if (format.empty()) {
    if (const auto type = TypeOfName(file_name)) return *type;
    return Error(ErrorKind::kInvalidArgument,
                 "{} does not tell its format by its extension: add --format parquet, arrow, "
                 "arrows, csv, tsv or jsonl",
                 Quoted(file_name));
  }
  const auto* const named =
      std::ranges::find_if(kFormats, [&](const auto& known) { return known.name == format; });
  if (named == kFormats.end()) {
    return Error(ErrorKind::kInvalidArgument, "no format is called {}", Quoted(format));
  }
  FileType type{named->format, FileCompression::kNone};
  std::string name = Lowered(file_name);
  if (!IsBinary(type)) type.compression = TakeCompression(&name);
  return type;
}

}  // namespace hangar::cli
