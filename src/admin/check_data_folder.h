#pragma once

#include <string>

#include "admin/findings.h"

namespace hangar {

/// Whether the data folder allows what an upload needs (make, write, fsync, link and rename files),
/// on what kind of file system it is, and how much room is left. Makes files with names that are
/// never served and removes them again.
void CheckDataFolder(const std::string& data, Findings& findings);

}  // namespace hangar
