#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <arrow/result.h>

#include "http/http_message.h"

namespace hangar {

/// How a dataset comes over HTTP.
enum class DatasetFormat { kParquet, kArrowStream, kJsonLines, kCsv };

inline constexpr std::string_view kParquetType = "application/vnd.apache.parquet";
inline constexpr std::string_view kArrowStreamType = "application/vnd.apache.arrow.stream";
inline constexpr std::string_view kJsonLinesType = "application/jsonl";
inline constexpr std::string_view kNdjsonType = "application/x-ndjson";
inline constexpr std::string_view kCsvType = "text/csv";
inline constexpr std::string_view kBytesType = "application/octet-stream";

/// As `format=` spells it, which is also how files are named: "parquet", "arrow", "jsonl", "csv".
std::string_view FormatName(DatasetFormat format);

/// A format and the media type by which it was asked for.
struct ChosenFormat {
  DatasetFormat format = DatasetFormat::kParquet;
  std::string_view media_type;
};

/// What the query's `format`, else the Accept header, asks for. Without either, and where the
/// header takes anything: the Parquet file, or an Arrow stream when the query narrows it
/// (`narrows`), as then there is no file. INVALID_ARGUMENT for an unknown `format`; nullopt when
/// the header takes none of what there is.
arrow::Result<std::optional<ChosenFormat>> ChooseFormat(const HttpRequest& request, bool narrows);

/// The format of a body by its Content-Type; nullopt for one that is not taken. Without one, and of
/// plain bytes, it is a Parquet file.
std::optional<DatasetFormat> FormatOfBody(const HttpRequest& request);

}  // namespace hangar
