#include "http/routes.h"

#include <array>

#include "http/dataset_format.h"
#include "http/dataset_routes.h"
#include "http/get_dataset.h"
#include "http/openapi.h"
#include "http/operations_routes.h"
#include "http/put_dataset.h"

namespace hangar {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain";

constexpr HttpParameter kVersion = {"version", "string", "Exactly this version, current or past."};
constexpr HttpParameter kAsOf = {
    "as_of", "string", "The version that was current at this RFC 3339 time; not beside version."};

constexpr std::array kGetQuery = {
    HttpParameter{"columns", "string",
                  "These columns, in this order: names separated by commas (a comma in a name is "
                  "written \\,), also in several parameters.",
                  /*repeats=*/true},
    HttpParameter{"offset", "integer", "Rows to pass over."},
    HttpParameter{"limit", "integer", "Rows at most."},
    kVersion,
    kAsOf,
    HttpParameter{"format", "string",
                  "parquet, arrow, jsonl or csv: goes before the Accept header."},
};
constexpr std::array kGetContent = {
    HttpContent{kParquetType}, HttpContent{kArrowStreamType}, HttpContent{kJsonLinesType},
    HttpContent{kNdjsonType},  HttpContent{kCsvType},
};
constexpr std::array kGetAlso = {206, 304};
constexpr std::array kGetErrors = {400, 401, 403, 404, 406, 412, 416, 429, 500, 503, 505};

constexpr std::array kPutQuery = {
    HttpParameter{"rows", "integer",
                  "How many rows will come: when it was another number nothing is stored."},
    HttpParameter{"null", "string", "A text that stands for no value, of CSV.", /*repeats=*/true},
};
constexpr std::array kPutContent = {
    HttpContent{kParquetType},   HttpContent{kBytesType},  HttpContent{kArrowStreamType},
    HttpContent{kJsonLinesType}, HttpContent{kNdjsonType}, HttpContent{kCsvType},
};
constexpr std::array kStoredContent = {HttpContent{kJson, "Stored"}};
constexpr std::array kPutAlso = {201};
constexpr std::array kPutErrors = {400, 401, 403, 409, 412, 413, 415, 429, 500, 503, 507};

constexpr std::array kDropQuery = {
    HttpParameter{"purge", "boolean", "Keep nothing of it, past versions neither."},
};
constexpr std::array kChangeErrors = {400, 401, 403, 404, 409, 412, 413, 500, 503};
constexpr std::array kDropErrors = {400, 401, 403, 404, 412, 500, 503};

constexpr std::array kListQuery = {
    HttpParameter{"prefix", "string", "Names that begin with it."},
    HttpParameter{"glob", "string",
                  "Names that match it: ? and * stay within a segment, ** crosses slashes."},
    HttpParameter{"after", "string", "Names after this one: the answer's next."},
    HttpParameter{"limit", "integer", "So many at most: 1 to 10000, by itself 1000."},
};
constexpr std::array kListContent = {HttpContent{kJson, "Datasets"}};
constexpr std::array kAskErrors = {400, 401, 403, 404, 500, 503};
constexpr std::array kListErrors = {400, 401, 403, 429, 500, 503};

constexpr std::array kSchemaQuery = {kVersion, kAsOf};
constexpr std::array kSchemaContent = {HttpContent{kJson, "Schema"}, HttpContent{kArrowStreamType}};
constexpr std::array kSchemaAlso = {304};
constexpr std::array kSchemaErrors = {400, 401, 403, 404, 406, 412, 500, 503};
constexpr std::array kVersionsContent = {HttpContent{kJson, "Versions"}};

constexpr std::array kRenameBody = {HttpContent{kJson, "Rename"}};
constexpr std::array kRestoreBody = {HttpContent{kJson, "Restore"}};
constexpr std::array kNoBody = {HttpContent{kJson, "Nothing"}};
constexpr std::array kChangedContent = {HttpContent{kJson, "Changed"}};

constexpr std::array kTextContent = {HttpContent{kText}};
constexpr std::array kOpenApiContent = {HttpContent{kJson, "OpenApi"}};
constexpr std::array kReadyErrors = {503};
constexpr std::array kMetricsErrors = {401, 403, 501};

constexpr std::array kRoutes = {
    HttpRoute{.method = "GET",
              .path = "/v1/datasets",
              .operation = "ListDatasets",
              .summary = "Lists datasets in byte order of their names",
              .query = kListQuery,
              .gives = kListContent,
              .errors = kListErrors,
              .answer = ListDatasets},
    HttpRoute{
        .method = "GET",
        .path = "/v1/datasets/{name}",
        .operation = "GetDataset",
        .summary = "The stored Parquet file, or rows in another format",
        .description =
            "Byte for byte as it is stored, with ranges and conditions (ETag is the version). "
            "With columns, offset or limit, or an Accept header or format that wants it: rows "
            "as an Arrow stream, JSON lines or CSV.",
        .query = kGetQuery,
        .gives = kGetContent,
        .also = kGetAlso,
        .errors = kGetErrors,
        .answer = GetDataset},
    HttpRoute{
        .method = "PUT",
        .path = "/v1/datasets/{name}",
        .operation = "PutDataset",
        .summary = "Stores a Parquet file as it is, or rows in another format",
        .description =
            "If-Match holds it to a version, If-None-Match: * to there being none; "
            "Idempotency-Key makes it safe to repeat. A Content-Encoding may be gzip or zstd.",
        .query = kPutQuery,
        .takes = kPutContent,
        .gives = kStoredContent,
        .also = kPutAlso,
        .errors = kPutErrors,
        .begin = BeginPut},
    HttpRoute{.method = "DELETE",
              .path = "/v1/datasets/{name}",
              .operation = "DropDataset",
              .summary = "Drops a dataset",
              .description = "It can be brought back for a time. If-Match holds it to a version.",
              .query = kDropQuery,
              .success = 204,
              .errors = kDropErrors,
              .answer = DropDataset},
    HttpRoute{.method = "GET",
              .path = "/v1/datasets/{name}/schema",
              .operation = "GetSchema",
              .summary = "A dataset's schema, rows and size",
              .description = "As JSON, or as a message of Arrow's IPC format. A dataset whose last "
                             "segment is \"schema\" is written with %2F before it.",
              .query = kSchemaQuery,
              .gives = kSchemaContent,
              .also = kSchemaAlso,
              .errors = kSchemaErrors,
              .answer = GetSchema},
    HttpRoute{.method = "GET",
              .path = "/v1/datasets/{name}/versions",
              .operation = "ListVersions",
              .summary = "The versions of a dataset that are kept, the current one first",
              .description = "A dataset whose last segment is \"versions\" is written with %2F "
                             "before it.",
              .gives = kVersionsContent,
              .errors = kAskErrors,
              .answer = ListVersions},
    HttpRoute{.method = "POST",
              .path = "/v1/datasets/{name}:rename",
              .operation = "RenameDataset",
              .summary = "Gives a dataset another name",
              .takes = kRenameBody,
              .gives = kChangedContent,
              .errors = kChangeErrors,
              .answer = RenameDataset},
    HttpRoute{.method = "POST",
              .path = "/v1/datasets/{name}:restore",
              .operation = "RestoreDataset",
              .summary = "Makes a past version the current one",
              .takes = kRestoreBody,
              .gives = kChangedContent,
              .errors = kChangeErrors,
              .answer = RestoreDataset},
    HttpRoute{.method = "POST",
              .path = "/v1/datasets/{name}:undrop",
              .operation = "UndropDataset",
              .summary = "Brings back a dataset that was dropped",
              .takes = kNoBody,
              .gives = kChangedContent,
              .errors = kChangeErrors,
              .answer = UndropDataset},
    HttpRoute{.method = "GET",
              .path = "/v1/openapi.json",
              .operation = "DescribeInterface",
              .summary = "This description",
              .gives = kOpenApiContent,
              .answer = DescribeInterface,
              .is_public = true},
    HttpRoute{.method = "GET",
              .path = "/",
              .operation = "Greet",
              .summary = "Says what this is",
              .gives = kTextContent,
              .answer = Greet,
              .is_public = true},
    HttpRoute{.method = "GET",
              .path = "/healthz",
              .operation = "GetHealth",
              .summary = "Answers while the server is alive",
              .gives = kTextContent,
              .answer = GetHealth,
              .is_operations = true,
              .is_public = true},
    HttpRoute{.method = "GET",
              .path = "/readyz",
              .operation = "GetReadiness",
              .summary = "Tells whether the server takes calls",
              .gives = kTextContent,
              .errors = kReadyErrors,
              .answer = GetReadiness,
              .is_operations = true,
              .is_public = true},
    HttpRoute{.method = "GET",
              .path = "/metrics",
              .operation = "GetMetrics",
              .summary = "Numbers in Prometheus' text format, for those who administer the server",
              .gives = kTextContent,
              .errors = kMetricsErrors,
              .answer = GetMetrics,
              .is_operations = true},
};

constexpr std::array kOperationsRoutes = {
    HttpRoute{.method = "GET",
              .path = "/healthz",
              .operation = "GetHealth",
              .summary = "Answers while the server is alive",
              .answer = GetHealth,
              .is_operations = true,
              .is_public = true},
    HttpRoute{.method = "GET",
              .path = "/readyz",
              .operation = "GetReadiness",
              .summary = "Tells whether the server takes calls",
              .answer = GetReadiness,
              .is_operations = true,
              .is_public = true},
    HttpRoute{.method = "GET",
              .path = "/metrics",
              .operation = "GetMetrics",
              .summary = "Numbers in Prometheus' text format",
              .answer = GetOpenMetrics,
              .is_operations = true,
              .is_public = true},
};

}  // namespace

std::span<const HttpRoute> HttpRoutes() { return kRoutes; }

std::span<const HttpRoute> OperationsRoutes() { return kOperationsRoutes; }

}  // namespace hangar
