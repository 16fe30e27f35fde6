#include "http/dataset_format.h"

#include <array>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "http/accept.h"
#include "http/header_text.h"

namespace hangar {
namespace {

struct TypeOfFormat {
  DatasetFormat format;
  std::string_view media_type;
};

// The first of a format is what it is called where nobody asked for a certain one.
constexpr std::array<TypeOfFormat, 6> kTypes = {{
    {DatasetFormat::kParquet, kParquetType},
    {DatasetFormat::kParquet, kBytesType},
    {DatasetFormat::kArrowStream, kArrowStreamType},
    {DatasetFormat::kJsonLines, kJsonLinesType},
    {DatasetFormat::kJsonLines, kNdjsonType},
    {DatasetFormat::kCsv, kCsvType},
}};

std::string_view NamedType(const TypeOfFormat& type) {
  return type.format == DatasetFormat::kParquet ? kParquetType : type.media_type;
}

}  // namespace

std::string_view FormatName(DatasetFormat format) {
  switch (format) {
    case DatasetFormat::kParquet:
      return "parquet";
    case DatasetFormat::kArrowStream:
      return "arrow";
    case DatasetFormat::kJsonLines:
      return "jsonl";
    case DatasetFormat::kCsv:
      return "csv";
  }
  return "";
}

arrow::Result<std::optional<ChosenFormat>> ChooseFormat(const HttpRequest& request, bool narrows) {
  if (const auto name = request.Query("format")) {
    for (const TypeOfFormat& type : kTypes) {
      if (FormatName(type.format) != *name) continue;
      if (narrows && type.format == DatasetFormat::kParquet) break;
      return ChosenFormat{type.format, NamedType(type)};
    }
    return Error(ErrorKind::kInvalidArgument,
                 "the query's 'format' is {}; there are {}arrow, jsonl and csv{}", Quoted(*name),
                 narrows ? "" : "parquet, ",
                 narrows ? " of what 'columns', 'offset' and 'limit' leave" : "");
  }
  const std::string accept = request.Header("Accept").value_or("*/*");
  std::vector<std::string_view> offered;
  std::vector<TypeOfFormat> formats;
  for (const TypeOfFormat& type : kTypes) {
    if (narrows && type.format == DatasetFormat::kParquet) continue;
    // Plain bytes are what a Parquet file is to whoever asks for them, not one more thing to offer.
    if (type.media_type == kBytesType && !accept.contains(kBytesType)) continue;
    offered.push_back(type.media_type);
    formats.push_back(type);
  }
  const auto chosen = ChooseMediaType(accept, offered);
  if (!chosen) return std::nullopt;
  return ChosenFormat{formats[*chosen].format, NamedType(formats[*chosen])};
}

std::optional<DatasetFormat> FormatOfBody(const HttpRequest& request) {
  const auto content_type = request.Header("Content-Type");
  if (!content_type) return DatasetFormat::kParquet;
  for (const TypeOfFormat& type : kTypes) {
    if (EqualsIgnoringCase(MediaTypeOf(*content_type), type.media_type)) return type.format;
  }
  return std::nullopt;
}

}  // namespace hangar
