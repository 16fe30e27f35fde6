#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar {

// The file of users that `hangar user` writes and the server reads:
//
//     [users.alice]
//     password = "$argon2id$v=19$m=32768,t=3,p=1$..."
//     groups = ["analysts"]

/// One user.
struct UserRecord {
  std::string password_hash;  ///< See password_hash.h.
  std::vector<std::string> groups;
};

using Users = std::map<std::string, UserRecord, std::less<>>;

/// INVALID_ARGUMENT naming `source` and the line of what is wrong.
arrow::Result<Users> ParseUsers(std::string_view text, const std::string& source);

/// The text of a file with these users; what ParseUsers gives comes back.
std::string FormatUsers(const Users& users);

}  // namespace hangar
