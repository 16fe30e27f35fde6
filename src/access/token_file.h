#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/crypto.h"
#include "access/identity.h"
#include "base/clock.h"

namespace hangar {

// The file of tokens that `hangar token` writes and the server reads:
//
//     [tokens.nightly]
//     sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//     created = "2026-01-31T12:00:00Z"
//     expires = "2026-03-02T12:00:00Z"
//     grants = ["read:sales/**", "write:sales/eu/*"]
//
// `expires` and `grants` may be missing. It holds hashes only. One round of SHA-256 is enough for
// them: a token is 256 random bits, which nobody finds by trying, however fast trying is; slow
// hashes are for passwords, which people choose.

/// One token, without what shows it.
struct TokenRecord {
  std::string name;
  Digest hash{};  ///< SHA-256 of the token's text.
  Timestamp created;
  std::optional<Timestamp> expires;  ///< nullopt: never.
  std::vector<TokenGrant> grants;

  bool IsExpired(Timestamp now) const { return expires && *expires <= now; }
};

/// What every token begins with, for scanners that look for secrets which ended up in public.
inline constexpr std::string_view kTokenPrefix = "hangar_";

/// A new token: the prefix, then 48 characters of base64url, which are 32 random bytes and a CRC-32
/// of these, by which a scanner tells a token from a text that looks like one.
std::string NewToken();

/// Whether the text has the form of a token. That costs nothing and says nothing of its worth.
bool LooksLikeToken(std::string_view text);

/// INVALID_ARGUMENT naming `source` and the line of what is wrong.
arrow::Result<std::vector<TokenRecord>> ParseTokens(std::string_view text,
                                                    const std::string& source);

/// The text of a file with these tokens; what ParseTokens gives comes back.
std::string FormatTokens(const std::vector<TokenRecord>& tokens);

/// A time as these files have it: RFC 3339 in UTC, to the second.
std::string FormatTokenTime(Timestamp time);

/// "ACTION:GLOB", as "read:sales/**". INVALID_ARGUMENT saying what is wrong.
arrow::Result<TokenGrant> ParseTokenGrant(std::string_view text);

}  // namespace hangar
