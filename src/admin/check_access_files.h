#pragma once

#include "admin/findings.h"
#include "config/options.h"

namespace hangar {

/// Whether the files of tokens, users, keys and the policy can be read and say something that can
/// be used, and who else may read or change them; whether the audit log can be written.
void CheckAccessFiles(const Access& access, Findings& findings);

}  // namespace hangar
