#include "access/user_file.h"

#include <format>
#include <sstream>
#include <utility>

#include <toml++/toml.hpp>

#include "access/account_name.h"
#include "access/password_hash.h"
#include "access/toml_fields.h"
#include "base/text.h"

namespace hangar {
namespace {

arrow::Result<UserRecord> ParseUser(std::string_view name, const toml::table& entry,
                                    const std::string& source) {
  UserRecord user;
  if (const auto status = CheckAccountName(name); !status.ok()) {
    return WrongAt(source, entry, status.message());
  }
  ARROW_RETURN_NOT_OK(CheckKeys(entry, source, {"password", "groups"}));
  ARROW_ASSIGN_OR_RAISE(user.password_hash, TextAt(entry, "password", source));
  if (!IsPasswordHash(user.password_hash)) {
    return WrongAt(
        source, entry,
        std::format("the password of {} is no hash that 'hangar user' makes", Quoted(name)));
  }
  ARROW_ASSIGN_OR_RAISE(user.groups, TextsAt(entry, "groups", source));
  for (const std::string& group : user.groups) {
    const auto status = CheckAccountName(group);
    if (!status.ok()) return WrongAt(source, *entry.get("groups"), status.message());
  }
  return user;
}

}  // namespace

arrow::Result<Users> ParseUsers(std::string_view text, const std::string& source) {
  Users users;
  ARROW_RETURN_NOT_OK(ForEachEntry(
      text, source, "users", [&](std::string_view name, const toml::table& entry) -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(UserRecord user, ParseUser(name, entry, source));
        users.emplace(name, std::move(user));
        return arrow::Status::OK();
      }));
  return users;
}

std::string FormatUsers(const Users& users) {
  toml::table by_name;
  for (const auto& [name, user] : users) {
    toml::table entry;
    entry.insert("password", user.password_hash);
    toml::array groups;
    for (const std::string& group : user.groups) groups.push_back(group);
    if (!groups.empty()) entry.insert("groups", std::move(groups));
    by_name.insert(name, std::move(entry));
  }
  toml::table root;
  if (!users.empty()) root.insert("users", std::move(by_name));
  std::ostringstream text;
  text << "# The users that hangar serve lets in by password. \"hangar user\" writes this file;\n"
          "# comments do not outlive that.\n\n"
       << root << "\n";
  return text.str();
}

}  // namespace hangar
