#include "s3/environment.h"

#include <cstdlib>

namespace hangar {

Environment ProcessEnvironment() {
  return [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
}

}  // namespace hangar
