#pragma once

#include <string_view>

#include <arrow/status.h>

namespace hangar {

/// Whether `name` can be that of a user, a token or a group of users: 1 to 128 letters, digits and
/// "._-@+". No others, so that a name looks the same wherever it is shown, has one spelling only,
/// and cannot be mistaken for the end of it in "user:NAME" or in credentials. INVALID_ARGUMENT
/// otherwise.
arrow::Status CheckAccountName(std::string_view name);

}  // namespace hangar
