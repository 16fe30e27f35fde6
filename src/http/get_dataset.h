#pragma once

#include <arrow/result.h>

#include "http/dataset_format.h"
#include "http/http_context.h"
#include "http/http_message.h"

namespace hangar {

/// GET and HEAD of a dataset: the stored file or a part of it, or its rows in another format.
arrow::Result<HttpResponse> GetDataset(const HttpContext& context, const HttpRequest& request);

/// The rows that the query leaves, in a format that is no Parquet.
arrow::Result<HttpResponse> GetRows(const HttpContext& context, const HttpRequest& request,
                                    const ChosenFormat& format);

/// Which version the query asks for, for all that take `version` and `as_of`.
struct QueriedVersion {
  std::optional<std::string> version;
  std::optional<Timestamp> as_of;
};
arrow::Result<QueriedVersion> VersionInQuery(const HttpRequest& request);

/// The weak tag of what `form`, "csv" for example, says of a version: the columns are part of it,
/// as not everybody sees the same ones.
std::string DerivedTag(const ReadDescription& described, std::string_view form);

/// The headers that GET and HEAD of what stands in a dataset have: ETag, Last-Modified,
/// Cache-Control, Vary. Where the request's conditions settle it, the answer, 304 or 412.
std::optional<HttpResponse> AnswerConditions(const HttpRequest& request, const std::string& tag,
                                             Timestamp modified, HttpHeaders* headers);

/// "attachment", with the last segment of the name, which ends with `.extension` or gets it.
std::string ContentDisposition(const std::string& dataset, std::string_view extension);

}  // namespace hangar
