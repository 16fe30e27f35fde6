#pragma once

#include <optional>
#include <string>

#include <arrow/result.h>

#include "http/http_context.h"
#include "http/http_message.h"

namespace hangar {

/// PUT of a dataset, before its body comes in: refuses what can be refused without it.
arrow::Result<HttpBegunBody> BeginPut(const HttpContext& context, const HttpRequest& request);

/// The version that If-Match and If-None-Match hold the dataset to.
struct WriteConditions {
  std::optional<std::string> if_version;  ///< It has to be this one.
  bool must_be_absent = false;            ///< There must be none.
};

/// Reads If-Match and If-None-Match of a request that changes the dataset `name`. What names more
/// than one version is held against the current one here, which is then the one it has to be.
/// FAILED_PRECONDITION when that settles it.
arrow::Result<WriteConditions> WriteConditionsOf(const HttpContext& context,
                                                 const HttpRequest& request);

}  // namespace hangar
