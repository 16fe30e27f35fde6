#pragma once

#include <string>
#include <string_view>

#include <arrow/status.h>

namespace hangar {

/// "cannot VERB PATH: why", for a system call that failed with the errno `number`. For commands,
/// whose user's file it is: clients of a server are shown no path of its disk.
arrow::Status FileError(std::string_view verb, const std::string& path, int number);

}  // namespace hangar
