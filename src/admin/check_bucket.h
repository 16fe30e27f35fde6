#pragma once

#include "admin/findings.h"
#include "config/options.h"

namespace hangar {

/// Tries the bucket that `options.data` names, as a server does when it starts: who opens it,
/// whether objects can be written, listed, read and removed there, whether it decides between
/// writers; and the folder that keeps what was fetched of it. Writes one small object below
/// `_hangar/staging/`, which it removes again.
void CheckBucket(const ServeOptions& options, Findings& findings);

}  // namespace hangar
