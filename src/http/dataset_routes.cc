#include "http/dataset_routes.h"

#include <array>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "http/accept.h"
#include "http/dataset_format.h"
#include "http/get_dataset.h"
#include "http/preconditions.h"
#include "http/problem.h"
#include "http/put_dataset.h"
#include "http/stream_place.h"
#include "http/target.h"
#include "service/version_history.h"
#include "text/json_object.h"

namespace hangar {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kListLimit = 1'000;
constexpr int64_t kListLimitMax = 10'000;
constexpr char kJsonType[] = "application/json";

// Names in a schema are what somebody stored.
HttpResponse JsonResponse(const ordered_json& value) {
  HttpResponse response;
  response.text = value.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  response.Add("Content-Type", kJsonType);
  return response;
}

ordered_json VersionJson(const DatasetDescription& version) {
  ordered_json object = {{"dataset", version.name},
                         {"version", version.version},
                         {"modified", FormatTimestamp(version.modified)},
                         {"rows", version.rows},
                         {"bytes", version.bytes},
                         {"row_groups", version.row_groups}};
  if (version.retired) {
    object["retired"] = FormatTimestamp(*version.retired);
    object["by"] = version.dropped ? "dropped" : "replaced";
  }
  return object;
}

HttpResponse ChangedResponse(const std::string& dataset, const std::string& version) {
  HttpResponse response = JsonResponse({{"dataset", dataset}, {"version", version}});
  response.Add("ETag", StrongTag(version));
  response.Add("Location", DatasetPath(dataset));
  return response;
}

ordered_json MetadataJson(const arrow::KeyValueMetadata& metadata) {
  ordered_json object = ordered_json::object();
  for (int64_t i = 0; i < metadata.size(); ++i) object[metadata.key(i)] = metadata.value(i);
  return object;
}

ordered_json FieldJson(const arrow::Field& field) {
  ordered_json object = {
      {"name", field.name()}, {"type", field.type()->ToString()}, {"nullable", field.nullable()}};
  if (field.HasMetadata()) object["metadata"] = MetadataJson(*field.metadata());
  for (const auto& child : field.type()->fields()) object["children"].push_back(FieldJson(*child));
  return object;
}

ordered_json SchemaJson(const arrow::Schema& schema) {
  ordered_json object = {{"fields", ordered_json::array()}};
  for (const auto& field : schema.fields()) object["fields"].push_back(FieldJson(*field));
  if (schema.HasMetadata()) object["metadata"] = MetadataJson(*schema.metadata());
  return object;
}

// The version that has to be the current one: of If-Match, or of the body.
arrow::Result<std::optional<std::string>> IfVersion(const HttpContext& context,
                                                    const HttpRequest& request,
                                                    std::optional<std::string> of_body) {
  ARROW_ASSIGN_OR_RAISE(const WriteConditions conditions, WriteConditionsOf(context, request));
  if (conditions.must_be_absent) {
    return MakeError(ErrorKind::kFailedPrecondition,
                     "If-None-Match: * wants no dataset here, and this needs one");
  }
  if (of_body && conditions.if_version) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the version stands in If-Match or in 'if_version', not in both");
  }
  return of_body ? of_body : conditions.if_version;
}

arrow::Result<JsonObject> BodyOf(const HttpRequest& request) {
  return JsonObject::Parse(request.body.empty() ? "{}" : request.body, "the body");
}

}  // namespace

arrow::Result<HttpResponse> ListDatasets(const HttpContext& context, const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const auto asked, request.QueryCount("limit"));
  const int64_t limit = asked.value_or(kListLimit);
  if (limit < 1 || limit > kListLimitMax) {
    return Error(ErrorKind::kInvalidArgument, "the query's 'limit' is {}; it has to be 1 to {}",
                 limit, kListLimitMax);
  }
  ARROW_ASSIGN_OR_RAISE(const auto place, TakeStreamPlace(context, request, false));
  // One more than is shown, to know whether there are more.
  ARROW_ASSIGN_OR_RAISE(
      const auto datasets,
      context.service->List(request.caller, {.prefix = request.Query("prefix").value_or(""),
                                             .glob = request.Query("glob").value_or(""),
                                             .after = request.Query("after").value_or(""),
                                             .limit = limit + 1}));
  ordered_json listed = {{"datasets", ordered_json::array()}};
  for (int64_t count = 0;; ++count) {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, datasets->Next());
    if (!dataset) break;
    if (count == limit) {
      listed["next"] = listed["datasets"].back()["dataset"];
      break;
    }
    listed["datasets"].push_back(VersionJson(*dataset));
  }
  return JsonResponse(listed);
}

arrow::Result<HttpResponse> GetSchema(const HttpContext& context, const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const QueriedVersion queried, VersionInQuery(request));
  ARROW_ASSIGN_OR_RAISE(
      const ReadDescription described,
      context.service->DescribeRead(
          request.caller,
          {.dataset = request.name, .version = queried.version, .as_of = queried.as_of}, 1));
  constexpr std::array<std::string_view, 2> kOffered = {kJsonType, kArrowStreamType};
  const auto chosen = ChooseMediaType(request.Header("Accept").value_or("*/*"), kOffered);
  if (!chosen) {
    return ProblemWith(406, Error(ErrorKind::kInvalidArgument,
                                  "the Accept header takes none of what there is: {}, {}",
                                  kOffered[0], kOffered[1]));
  }
  HttpHeaders headers;
  const std::string tag = DerivedTag(described, *chosen == 0 ? "schema-json" : "schema-arrow");
  if (auto answer = AnswerConditions(request, tag, described.dataset.modified, &headers)) {
    return *std::move(answer);
  }
  HttpResponse response;
  if (*chosen == 0) {
    ordered_json object = VersionJson(described.dataset);
    object.update(SchemaJson(*described.schema));
    response = JsonResponse(object);
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::SerializeSchema(*described.schema));
    response.text = message->ToString();
    response.Add("Content-Type", std::string(kArrowStreamType));
  }
  response.headers.insert(response.headers.end(), headers.begin(), headers.end());
  return response;
}

arrow::Result<HttpResponse> ListVersions(const HttpContext& context, const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const auto versions,
                        context.service->history().Versions(request.caller, request.name));
  ordered_json listed = {{"versions", ordered_json::array()}};
  for (const DatasetDescription& version : versions) {
    ordered_json object = VersionJson(version);
    object["current"] = !version.retired;
    listed["versions"].push_back(std::move(object));
  }
  return JsonResponse(listed);
}

arrow::Result<HttpResponse> DropDataset(const HttpContext& context, const HttpRequest& request) {
  DatasetService::DropRequest drop{.dataset = request.name};
  ARROW_ASSIGN_OR_RAISE(drop.if_version, IfVersion(context, request, std::nullopt));
  const auto purge = request.Query("purge");
  if (purge && *purge != "true" && *purge != "false") {
    return Error(ErrorKind::kInvalidArgument,
                 "the query's 'purge' is {}; it has to be true or false", Quoted(*purge));
  }
  drop.purge = purge == "true";
  ARROW_RETURN_NOT_OK(context.service->Drop(request.caller, drop));
  return HttpResponse{.status = 204};
}

arrow::Result<HttpResponse> RenameDataset(const HttpContext& context, const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(auto body, BodyOf(request));
  DatasetService::RenameRequest rename{.from = request.name};
  ARROW_ASSIGN_OR_RAISE(rename.to, body.TakeRequiredString("to"));
  ARROW_ASSIGN_OR_RAISE(const auto overwrite, body.TakeBool("overwrite"));
  rename.overwrite = overwrite.value_or(false);
  ARROW_ASSIGN_OR_RAISE(auto if_version, body.TakeString("if_version"));
  ARROW_RETURN_NOT_OK(body.Finish());
  ARROW_ASSIGN_OR_RAISE(rename.if_version, IfVersion(context, request, std::move(if_version)));
  ARROW_ASSIGN_OR_RAISE(const auto renamed, context.service->Rename(request.caller, rename));
  return ChangedResponse(renamed.dataset, renamed.version);
}

arrow::Result<HttpResponse> RestoreDataset(const HttpContext& context, const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(auto body, BodyOf(request));
  VersionHistory::RestoreRequest restore{.dataset = request.name};
  ARROW_ASSIGN_OR_RAISE(restore.version, body.TakeString("version"));
  ARROW_ASSIGN_OR_RAISE(restore.as_of, body.TakeTimestamp("as_of"));
  ARROW_ASSIGN_OR_RAISE(auto if_version, body.TakeString("if_version"));
  ARROW_RETURN_NOT_OK(body.Finish());
  ARROW_ASSIGN_OR_RAISE(restore.if_version, IfVersion(context, request, std::move(if_version)));
  ARROW_ASSIGN_OR_RAISE(const auto restored,
                        context.service->history().Restore(request.caller, restore));
  return ChangedResponse(restored.dataset, restored.version);
}

arrow::Result<HttpResponse> UndropDataset(const HttpContext& context, const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const auto body, BodyOf(request));
  ARROW_RETURN_NOT_OK(body.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto restored,
                        context.service->history().Undrop(request.caller, request.name));
  return ChangedResponse(restored.dataset, restored.version);
}

}  // namespace hangar
