#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <arrow/flight/type_fwd.h>
#include <arrow/result.h>

#include "service/dataset_service.h"

namespace hangar {

/// Gives an action's results one after the other, as bytes; nullopt at the end. One thread at a
/// time; must not outlive the service.
using ActionResults = std::function<arrow::Result<std::optional<std::string>>()>;

/// What ListActions answers.
std::vector<arrow::flight::ActionType> DescribeActions();

/// Runs an action of DoAction. INVALID_ARGUMENT for a body that is not what the action takes,
/// UNIMPLEMENTED for an action that there is not.
arrow::Result<ActionResults> RunAction(DatasetService& service, const Caller& caller,
                                       const arrow::flight::Action& action);

}  // namespace hangar
