#pragma once

#include <memory>

#include "base/log.h"

namespace hangar {

/// A logger for components that are only tried out: what they have to say, their errors say.
std::shared_ptr<Logger> QuietLogger();

}  // namespace hangar
