#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"

namespace hangar {

/// True when a setting of this name, which holds one text, was given another than its default.
using IsGiven = std::function<bool(std::string_view setting)>;

/// What does not go together, a sentence each that says what to do. Looks at the options alone: no
/// file is opened, no address is tried.
std::vector<std::string> CheckServeOptions(const ServeOptions& options, const IsGiven& is_given);

/// True when anything is configured that shows who a caller is.
bool HasAuthentication(const ServeOptions& options);

}  // namespace hangar
