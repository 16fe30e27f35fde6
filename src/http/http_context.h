#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "service/dataset_service.h"

namespace hangar {

class CallLimits;

/// What the routes work with, the same for all requests. The functions are called from any thread.
struct HttpContext {
  std::shared_ptr<DatasetService> service;
  std::shared_ptr<CallLimits> limits;  ///< nullptr: none.
  std::shared_ptr<Logger> logger;
  int64_t upload_bytes = 0;  ///< What one upload may hold.
  std::function<std::string()> metrics_text;
  std::function<bool()> is_ready;
};

}  // namespace hangar
