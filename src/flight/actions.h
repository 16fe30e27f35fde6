#pragma once

#include <string>
#include <vector>

#include <arrow/flight/type_fwd.h>
#include <arrow/result.h>

#include "service/dataset_service.h"

namespace hangar {

/// The actions that ListActions gives, with what each takes.
std::vector<arrow::flight::ActionType> DescribeActions();

/// Carries an action out; its result is a JSON text. UNIMPLEMENTED, naming it, for an action that
/// there is not.
arrow::Result<std::string> RunAction(DatasetService& service, const Caller& caller,
                                     const arrow::flight::Action& action);

}  // namespace hangar
