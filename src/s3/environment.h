#pragma once

#include <functional>
#include <string>

namespace hangar {

/// Gives the value of an environment variable; empty where it is not set, as AWS' tools take it.
using Environment = std::function<std::string(const std::string& name)>;

/// That of this process, which must not be changed while it is read.
Environment ProcessEnvironment();

}  // namespace hangar
