#include "flight/actions.h"

#include <chrono>
#include <memory>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/flight/types.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "flight/ticket.h"
#include "service/version_history.h"
#include "text/json_object.h"

namespace hangar {
namespace {

using nlohmann::json;

ActionResults One(std::string result) {
  return [left = std::optional(std::move(result))]() mutable { return std::exchange(left, {}); };
}

ActionResults One(const json& result) { return One(result.dump()); }

// The body of an action on one dataset: its name, or a JSON object, which can say more.
struct NamedBody {
  std::string dataset;
  std::optional<JsonObject> object;  // Without the key 'dataset'.

  arrow::Status Finish() const { return object ? object->Finish() : arrow::Status::OK(); }
};

arrow::Result<NamedBody> ParseNamedBody(const std::string& body, std::string_view action) {
  NamedBody parsed;
  if (!body.starts_with('{')) {
    parsed.dataset = body;
    return parsed;
  }
  ARROW_ASSIGN_OR_RAISE(auto object, JsonObject::Parse(body, "the body of " + std::string(action)));
  ARROW_ASSIGN_OR_RAISE(parsed.dataset, object.TakeRequiredString("dataset"));
  parsed.object = std::move(object);
  return parsed;
}

json VersionJson(const DatasetDescription& version) {
  json object = {{"dataset", version.name},
                 {"version", version.version},
                 {"modified", FormatTimestamp(version.modified)},
                 {"rows", version.rows},
                 {"bytes", version.bytes},
                 {"current", !version.retired}};
  if (version.retired) {
    object["retired"] = FormatTimestamp(*version.retired);
    object["by"] = version.dropped ? "dropped" : "replaced";
  }
  return object;
}

json RestoredJson(const VersionHistory::Restored& restored) {
  return {{"dataset", restored.dataset}, {"version", restored.version}};
}

arrow::Result<ActionResults> DropDataset(DatasetService& service, const Caller& caller,
                                         const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(auto named, ParseNamedBody(body, "drop_dataset"));
  DatasetService::DropRequest request{.dataset = named.dataset, .if_version = {}};
  if (named.object) {
    ARROW_ASSIGN_OR_RAISE(request.if_version, named.object->TakeString("if_version"));
    ARROW_ASSIGN_OR_RAISE(const auto purge, named.object->TakeBool("purge"));
    request.purge = purge.value_or(false);
  }
  ARROW_RETURN_NOT_OK(named.Finish());
  ARROW_RETURN_NOT_OK(service.Drop(caller, request));
  return One(json{{"dataset", request.dataset}});
}

arrow::Result<ActionResults> RenameDataset(DatasetService& service, const Caller& caller,
                                           const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(auto object, JsonObject::Parse(body, "the body of rename_dataset"));
  DatasetService::RenameRequest request;
  ARROW_ASSIGN_OR_RAISE(request.from, object.TakeRequiredString("from"));
  ARROW_ASSIGN_OR_RAISE(request.to, object.TakeRequiredString("to"));
  ARROW_ASSIGN_OR_RAISE(request.if_version, object.TakeString("if_version"));
  ARROW_ASSIGN_OR_RAISE(const auto overwrite, object.TakeBool("overwrite"));
  ARROW_RETURN_NOT_OK(object.Finish());
  request.overwrite = overwrite.value_or(false);
  ARROW_ASSIGN_OR_RAISE(const auto renamed, service.Rename(caller, request));
  return One(json{{"dataset", renamed.dataset}, {"version", renamed.version}});
}

arrow::Result<ActionResults> ListVersions(DatasetService& service, const Caller& caller,
                                          const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(const auto named, ParseNamedBody(body, "list_versions"));
  ARROW_RETURN_NOT_OK(named.Finish());
  ARROW_ASSIGN_OR_RAISE(auto versions, service.history().Versions(caller, named.dataset));
  return ActionResults([versions = std::move(versions),
                        next = size_t{0}]() mutable -> arrow::Result<std::optional<std::string>> {
    if (next == versions.size()) return std::nullopt;
    return VersionJson(versions[next++]).dump();
  });
}

arrow::Result<ActionResults> RestoreDataset(DatasetService& service, const Caller& caller,
                                            const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(auto object, JsonObject::Parse(body, "the body of restore_dataset"));
  VersionHistory::RestoreRequest request;
  ARROW_ASSIGN_OR_RAISE(request.dataset, object.TakeRequiredString("dataset"));
  ARROW_ASSIGN_OR_RAISE(request.version, object.TakeString("version"));
  ARROW_ASSIGN_OR_RAISE(request.as_of, object.TakeTimestamp("as_of"));
  ARROW_ASSIGN_OR_RAISE(request.if_version, object.TakeString("if_version"));
  ARROW_RETURN_NOT_OK(object.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto restored, service.history().Restore(caller, request));
  return One(RestoredJson(restored));
}

arrow::Result<ActionResults> UndropDataset(DatasetService& service, const Caller& caller,
                                           const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(const auto named, ParseNamedBody(body, "undrop_dataset"));
  ARROW_RETURN_NOT_OK(named.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto restored, service.history().Undrop(caller, named.dataset));
  return One(RestoredJson(restored));
}

arrow::Result<ActionResults> ListTrash(DatasetService& service, const Caller& caller,
                                       const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(const ListRequest request,
                        ParseListRequest(body, "the body of list_trash"));
  ARROW_ASSIGN_OR_RAISE(auto lister, service.history().Trash(caller, request));
  return ActionResults([datasets = std::shared_ptr<DatasetLister>(
                            std::move(lister))]() -> arrow::Result<std::optional<std::string>> {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, datasets->Next());
    if (!dataset) return std::nullopt;
    return json{{"dataset", dataset->name},
                {"version", dataset->version},
                {"dropped", FormatTimestamp(dataset->retired.value_or(Timestamp()))},
                {"rows", dataset->rows},
                {"bytes", dataset->bytes}}
        .dump();
  });
}

arrow::Result<ActionResults> PurgeVersions(DatasetService& service, const Caller& caller,
                                           const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(auto object, JsonObject::Parse(body, "the body of purge_versions"));
  ARROW_ASSIGN_OR_RAISE(const auto dataset, object.TakeRequiredString("dataset"));
  ARROW_ASSIGN_OR_RAISE(const auto version, object.TakeString("version"));
  ARROW_RETURN_NOT_OK(object.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto purged, service.history().Purge(caller, dataset, version));
  return One(json{{"dataset", dataset}, {"versions", purged.versions}, {"bytes", purged.bytes}});
}

int64_t Seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

arrow::Result<ActionResults> HistoryStatus(DatasetService& service, const Caller& caller,
                                           const std::string&) {
  ARROW_ASSIGN_OR_RAISE(const auto status, service.history().Describe(caller));
  return One(json{{"versions", status.totals.versions},
                  {"bytes", status.totals.bytes},
                  {"limit_bytes", status.policy.bytes},
                  {"keep_versions", status.policy.versions},
                  {"keep_for_seconds", Seconds(status.policy.time)},
                  {"ticket_ttl_seconds", Seconds(status.policy.ticket_ttl)}});
}

arrow::Result<ActionResults> CheckDataset(DatasetService& service, const Caller& caller,
                                          const std::string& body) {
  std::optional<std::string> dataset;
  if (!body.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto named, ParseNamedBody(body, "check_dataset"));
    ARROW_RETURN_NOT_OK(named.Finish());
    dataset = named.dataset;
  }
  ARROW_ASSIGN_OR_RAISE(auto check, service.Check(caller, dataset));
  return ActionResults([check = std::shared_ptr<DatasetCheck>(
                            std::move(check))]() -> arrow::Result<std::optional<std::string>> {
    ARROW_ASSIGN_OR_RAISE(const auto checked, check->Next());
    if (!checked) return std::nullopt;
    json object = {{"dataset", checked->name},
                   {"version", checked->version},
                   {"rows", checked->rows},
                   {"bytes", checked->bytes}};
    if (checked->problem) object["problem"] = *checked->problem;
    // A file's name can be anything.
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
  });
}

// A standard action of Flight: the bodies are its protobuf messages.
arrow::Result<ActionResults> RenewFlightEndpoint(DatasetService& service, const Caller& caller,
                                                 const std::string& body) {
  auto request = arrow::flight::RenewFlightEndpointRequest::Deserialize(body);
  if (!request.ok()) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the body of RenewFlightEndpoint is not a RenewFlightEndpointRequest");
  }
  ARROW_ASSIGN_OR_RAISE(const TicketContents ticket, DecodeTicket(request->endpoint.ticket.ticket));
  ARROW_ASSIGN_OR_RAISE(const Timestamp expires, service.RenewRead(caller, ticket.read));
  request->endpoint.expiration_time = expires;
  ARROW_ASSIGN_OR_RAISE(auto endpoint, request->endpoint.SerializeToString());
  return One(std::move(endpoint));
}

struct KnownAction {
  const char* type;
  const char* description;
  arrow::Result<ActionResults> (*run)(DatasetService& service, const Caller& caller,
                                      const std::string& body);
};

constexpr KnownAction kActions[] = {
    {"drop_dataset",
     "Removes a dataset. Body: its name, or JSON with 'dataset', optionally 'if_version' and "
     "'purge' (default false: it can be brought back for a time). NOT_FOUND when it is not there.",
     DropDataset},
    {"rename_dataset",
     "Gives a dataset another name in one step. Body: JSON with 'from' and 'to', optionally "
     "'overwrite' (default false) and 'if_version' (of 'from').",
     RenameDataset},
    {"list_versions",
     "Lists the versions of a dataset that can be read, the latest first, a JSON object each. "
     "Body: its name.",
     ListVersions},
    {"restore_dataset",
     "Makes a past version the current one. Body: JSON with 'dataset' and either 'version' or "
     "'as_of' (RFC 3339), optionally 'if_version'.",
     RestoreDataset},
    {"undrop_dataset", "Brings back the dataset that was dropped. Body: its name.", UndropDataset},
    {"list_trash",
     "Lists the dropped datasets that can be brought back, a JSON object each. Body: empty, or "
     "JSON with any of 'prefix', 'glob', 'after' and 'limit'.",
     ListTrash},
    {"purge_versions",
     "Removes past versions for good. Body: JSON with 'dataset', optionally 'version'.",
     PurgeVersions},
    {"history_status", "Tells how much of the past is kept, and by which rules. Body: empty.",
     HistoryStatus},
    {"check_dataset",
     "Reads stored files whole and verifies footers, page checksums and row counts; a JSON object "
     "each, with 'problem' where there is one. Body: a name, or empty for all.",
     CheckDataset},
    {"RenewFlightEndpoint",
     "Prolongs the time for which an endpoint's ticket can be redeemed. Body and result: "
     "RenewFlightEndpointRequest and FlightEndpoint of Flight's protocol.",
     RenewFlightEndpoint},
};

}  // namespace

std::vector<arrow::flight::ActionType> DescribeActions() {
  std::vector<arrow::flight::ActionType> types;
  for (const KnownAction& action : kActions) types.push_back({action.type, action.description});
  return types;
}

arrow::Result<ActionResults> RunAction(DatasetService& service, const Caller& caller,
                                       const arrow::flight::Action& action) {
  for (const KnownAction& known : kActions) {
    if (action.type == known.type) {
      return known.run(service, caller, action.body ? action.body->ToString() : "");
    }
  }
  return Error(ErrorKind::kUnimplemented,
               "there is no action {}; ListActions names those there are", Quoted(action.type));
}

}  // namespace hangar
