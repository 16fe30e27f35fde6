#pragma once

#include <string>

#include <arrow/result.h>

namespace hangar {

/// A new password: from a terminal on standard input twice and without an echo, else the first line
/// of standard input. INVALID_ARGUMENT when it cannot be a password, or what was typed differs;
/// CANCELLED on Ctrl-C.
arrow::Result<std::string> ReadNewPassword();

}  // namespace hangar
