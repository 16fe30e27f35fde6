#include "http/get_dataset.h"

#include <chrono>
#include <format>
#include <utility>

#include <arrow/type.h>

#include "base/clock.h"
#include "base/crc32.h"
#include "base/error.h"
#include "base/text.h"
#include "http/byte_range.h"
#include "http/multipart_source.h"
#include "http/preconditions.h"
#include "http/problem.h"
#include "http/stream_place.h"
#include "http/target.h"

namespace hangar {
namespace {

bool Narrows(const HttpRequest& request) {
  return request.Query("columns") || request.Query("offset") || request.Query("limit");
}

HttpResponse NotAcceptable(bool narrows) {
  return ProblemWith(
      406, Error(ErrorKind::kInvalidArgument,
                 "the Accept header takes none of what there is: {}{}, {}, {} and {}",
                 narrows ? "" : std::string(kParquetType) + ", ", kArrowStreamType, kJsonLinesType,
                 kNdjsonType, kCsvType));
}

// Answers with `file`, or with the parts of it that the request's Range names.
HttpResponse AnswerRange(const HttpRequest& request, const std::string& tag,
                         std::shared_ptr<StoredFileReader> file, HttpHeaders headers) {
  const int64_t size = file->size_bytes();
  HttpResponse response{.headers = std::move(headers)};
  const auto range = request.is_head() ? std::nullopt : request.Header("Range");
  const auto if_range = request.Header("If-Range");
  const bool heeded = range && (!if_range || IfRangeHolds(*if_range, {.tag = tag, .modified = {}}));
  const RequestedRanges ranges = heeded ? ParseRange(*range, size) : RequestedRanges{};
  if (ranges.kind == RequestedRanges::Kind::kUnsatisfiable) {
    auto problem = ProblemWith(
        416, Error(ErrorKind::kInvalidArgument,
                   "the file has {} bytes, of which Range asks for none, or for more than {} parts",
                   size, kRangesMax));
    problem.Add("Content-Range", std::format("bytes */{}", size));
    return problem;
  }
  if (ranges.kind == RequestedRanges::Kind::kWhole) {
    response.Add("Content-Type", std::string(kParquetType));
    response.file = HttpFileBody{.file = std::move(file), .offset = 0, .length = size};
    return response;
  }
  response.status = 206;
  if (ranges.parts.size() == 1) {
    const ByteRange& part = ranges.parts.front();
    response.Add("Content-Type", std::string(kParquetType));
    response.Add("Content-Range", ContentRange(part, size));
    response.file =
        HttpFileBody{.file = std::move(file), .offset = part.offset, .length = part.length};
    return response;
  }
  auto multipart = MakeMultipart(std::move(file), ranges.parts, std::string(kParquetType));
  response.Add("Content-Type", multipart.content_type);
  response.source = std::move(multipart.source);
  return response;
}

arrow::Result<HttpResponse> GetFile(const HttpContext& context, const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(auto place, request.is_head()
                                        ? arrow::Result<std::shared_ptr<void>>(nullptr)
                                        : TakeStreamPlace(context, request, false));
  ARROW_ASSIGN_OR_RAISE(const QueriedVersion queried, VersionInQuery(request));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<StoredFileReader> file,
                        context.service->OpenFile(request.caller, {.dataset = request.name,
                                                                   .version = queried.version,
                                                                   .as_of = queried.as_of}));
  const DatasetDescription& dataset = file->description();
  const std::string tag = StrongTag(dataset.version);
  HttpHeaders headers;
  if (auto answer = AnswerConditions(request, tag, dataset.modified, &headers)) {
    return *std::move(answer);
  }
  headers.emplace_back("Accept-Ranges", "bytes");
  headers.emplace_back("Content-Disposition", ContentDisposition(dataset.name, "parquet"));
  HttpResponse response = AnswerRange(request, tag, std::move(file), std::move(headers));
  response.held = std::move(place);
  return response;
}

}  // namespace

arrow::Result<HttpResponse> GetDataset(const HttpContext& context, const HttpRequest& request) {
  const bool narrows = Narrows(request);
  ARROW_ASSIGN_OR_RAISE(const auto format, ChooseFormat(request, narrows));
  if (!format) return NotAcceptable(narrows);
  if (format->format == DatasetFormat::kParquet) return GetFile(context, request);
  return GetRows(context, request, *format);
}

arrow::Result<QueriedVersion> VersionInQuery(const HttpRequest& request) {
  QueriedVersion queried{.version = request.Query("version"), .as_of = std::nullopt};
  const auto as_of = request.Query("as_of");
  if (!as_of) return queried;
  queried.as_of = ParseTimestamp(*as_of);
  if (!queried.as_of) {
    return Error(ErrorKind::kInvalidArgument,
                 "the query's 'as_of' is {}; it has to be a time such as 2026-01-31T12:00:00Z",
                 Quoted(*as_of));
  }
  return queried;
}

std::string DerivedTag(const ReadDescription& described, std::string_view form) {
  uint32_t columns = 0;
  for (const auto& field : described.schema->fields()) {
    // With the zero at its end, which keeps names apart.
    const std::string& name = field->name();
    columns = Crc32(columns, reinterpret_cast<const uint8_t*>(name.c_str()), std::ssize(name) + 1);
  }
  return WeakTag(std::format("{}-{}-{:08x}", described.dataset.version, form, columns));
}

std::optional<HttpResponse> AnswerConditions(const HttpRequest& request, const std::string& tag,
                                             Timestamp modified, HttpHeaders* headers) {
  const Validators validators{.tag = tag,
                              .modified = std::chrono::floor<std::chrono::seconds>(modified)};
  headers->emplace_back("ETag", tag);
  headers->emplace_back("Last-Modified", FormatHttpDate(validators.modified));
  // To ask whether it changed is cheap, and that it has not is not known without.
  headers->emplace_back("Cache-Control", "private, no-cache");
  headers->emplace_back("Vary", "Accept, Authorization");
  const auto now = std::chrono::floor<std::chrono::seconds>(Now());
  const auto outcome = Evaluate({.if_match = request.Header("If-Match"),
                                 .if_none_match = request.Header("If-None-Match"),
                                 .if_modified_since = request.Header("If-Modified-Since"),
                                 .if_unmodified_since = request.Header("If-Unmodified-Since")},
                                validators, now);
  if (outcome == ConditionOutcome::kProceed) return std::nullopt;
  if (outcome == ConditionOutcome::kNotModified) {
    return HttpResponse{.status = 304, .headers = *headers};
  }
  auto response = ProblemWith(412, Error(ErrorKind::kFailedPrecondition,
                                         "{} is at {} now, which the request's conditions exclude",
                                         Quoted(request.name), tag));
  response.Add("ETag", tag);
  return response;
}

std::string ContentDisposition(const std::string& dataset, std::string_view extension) {
  std::string file = dataset.substr(dataset.rfind('/') + 1);
  const std::string ending = "." + std::string(extension);
  if (!file.ends_with(ending)) {
    if (file.ends_with(".parquet")) file.resize(file.size() - std::string_view(".parquet").size());
    file += ending;
  }
  // RFC 6266: both forms take any name once it is percent-encoded.
  return "attachment; filename*=UTF-8''" + PercentEncode(file, /*keep_slashes=*/false);
}

}  // namespace hangar
