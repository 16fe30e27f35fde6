#pragma once

#include <string>
#include <string_view>

#include "admin/findings.h"

namespace hangar {

/// Whether others on the machine may read or change a file that holds secrets, or what shows who
/// people are. Says nothing of one that is not there.
void CheckSecretFile(std::string_view setting, const std::string& path, Findings& findings);

/// The same of a file that everybody may know, and nobody else change.
void CheckTrustedFile(std::string_view setting, const std::string& path, Findings& findings);

}  // namespace hangar
