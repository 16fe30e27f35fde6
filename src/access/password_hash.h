#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar {

// Passwords are kept as Argon2id (RFC 9106) of libsodium, in its text form "$argon2id$v=19$m=...".
// One hash takes 3 passes over 32 MiB: more than OWASP's least (2 passes over 19 MiB, Password
// Storage Cheat Sheet, 2024), half the memory of libsodium's "interactive", because the server
// makes hashes while it works and its memory is bounded.

/// What making or comparing one hash takes.
inline constexpr int64_t kPasswordHashBytes = 32 << 20;

/// Whether it may be somebody's password: 8 to 1,024 bytes of UTF-8 (8 is NIST SP 800-63B's least)
/// without control characters. INVALID_ARGUMENT otherwise, without the password.
arrow::Status CheckPassword(std::string_view password);

/// Takes about a tenth of a second. RESOURCE_EXHAUSTED when there is no memory for it.
arrow::Result<std::string> HashPassword(std::string_view password);

/// Whether the password is the one of the hash; as costly as making it. RESOURCE_EXHAUSTED when
/// there is no memory for it.
arrow::Result<bool> PasswordMatches(std::string_view password, const std::string& hash);

/// Whether the text is a hash that PasswordMatches takes: of Argon2id, and of no more than four
/// times the work, so that no file of users takes the server's memory and time.
bool IsPasswordHash(const std::string& text);

}  // namespace hangar
