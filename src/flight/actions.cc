#include "flight/actions.h"

#include <arrow/buffer.h>
#include <arrow/flight/types.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "flight/json_object.h"

namespace hangar {
namespace {

arrow::Result<std::string> DropDataset(DatasetService& service, const Caller& caller,
                                       const std::string& body) {
  ARROW_RETURN_NOT_OK(service.Drop(caller, body, /*if_version=*/std::nullopt));
  return nlohmann::json{{"dataset", body}}.dump();
}

arrow::Result<std::string> RenameDataset(DatasetService& service, const Caller& caller,
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
  return nlohmann::json{{"dataset", renamed.dataset}, {"version", renamed.version}}.dump();
}

struct KnownAction {
  const char* type;
  const char* description;
  arrow::Result<std::string> (*run)(DatasetService& service, const Caller& caller,
                                    const std::string& body);
};

constexpr KnownAction kActions[] = {
    {"drop_dataset", "Removes a dataset. Body: its name. NOT_FOUND when it is not there.",
     DropDataset},
    {"rename_dataset",
     "Gives a dataset another name in one step. Body: JSON with 'from' and 'to', optionally "
     "'overwrite' (default false) and 'if_version' (of 'from').",
     RenameDataset},
};

}  // namespace

std::vector<arrow::flight::ActionType> DescribeActions() {
  std::vector<arrow::flight::ActionType> types;
  for (const KnownAction& action : kActions) types.push_back({action.type, action.description});
  return types;
}

arrow::Result<std::string> RunAction(DatasetService& service, const Caller& caller,
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
