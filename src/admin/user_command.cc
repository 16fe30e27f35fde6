#include "admin/user_command.h"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "access/account_name.h"
#include "access/credential_file.h"
#include "access/crypto.h"
#include "access/password_hash.h"
#include "access/user_file.h"
#include "admin/credential_command.h"
#include "admin/password_input.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

using ExitCode = std::function<void(int exit_code)>;

std::string NameProblem(const std::string& name) {
  const auto status = CheckAccountName(name);
  return status.ok() ? "" : status.message();
}

arrow::Status NoSuchUser(const std::string& name) {
  return Error(ErrorKind::kNotFound, "there is no user {}", Quoted(name));
}

arrow::Status UserIsThere(const std::string& name) {
  return Error(ErrorKind::kAlreadyExists,
               "there is a user {} already; 'hangar user passwd' gives them another password",
               Quoted(name));
}

arrow::Result<Users> ReadUsers(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadCredentialFile(path));
  return ParseUsers(text, path);
}

arrow::Status ChangeUsers(const std::string& path,
                          const std::function<arrow::Status(Users& users)>& change) {
  return ChangeCredentialFile(path, [&](const std::string& text) -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(Users users, ParseUsers(text, path));
    ARROW_RETURN_NOT_OK(change(users));
    return FormatUsers(users);
  });
}

arrow::Status Add(const std::string& name, const std::vector<std::string>& groups,
                  const CredentialFileChoice& file) {
  ARROW_RETURN_NOT_OK(StartCrypto());
  ARROW_ASSIGN_OR_RAISE(const std::string path, file.Path());
  // Before somebody thinks of a password for nothing.
  const auto users_now = ReadUsers(path);
  if (users_now.ok() && users_now->contains(name)) return UserIsThere(name);
  if (!users_now.ok() && KindOf(users_now.status()) != ErrorKind::kNotFound) {
    return users_now.status();
  }
  ARROW_ASSIGN_OR_RAISE(const std::string password, ReadNewPassword());
  UserRecord user{.password_hash = {}, .groups = groups};
  ARROW_ASSIGN_OR_RAISE(user.password_hash, HashPassword(password));
  return ChangeUsers(path, [&](Users& users) {
    return users.try_emplace(name, user).second ? arrow::Status::OK() : UserIsThere(name);
  });
}

arrow::Status ChangePassword(const std::string& name, const CredentialFileChoice& file) {
  ARROW_RETURN_NOT_OK(StartCrypto());
  ARROW_ASSIGN_OR_RAISE(const std::string path, file.Path());
  ARROW_ASSIGN_OR_RAISE(const Users users_now, ReadUsers(path));
  if (!users_now.contains(name)) return NoSuchUser(name);
  ARROW_ASSIGN_OR_RAISE(const std::string password, ReadNewPassword());
  ARROW_ASSIGN_OR_RAISE(const std::string hash, HashPassword(password));
  return ChangeUsers(path, [&](Users& users) {
    const auto found = users.find(name);
    if (found == users.end()) return NoSuchUser(name);
    found->second.password_hash = hash;
    return arrow::Status::OK();
  });
}

arrow::Status List(const std::string& output, const CredentialFileChoice& file) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, file.Path());
  ARROW_ASSIGN_OR_RAISE(const Users users, ReadUsers(path));
  std::vector<std::vector<std::string>> rows = {{"NAME", "GROUPS"}};
  for (const auto& [name, user] : users) {
    const nlohmann::ordered_json object = {{"name", name}, {"groups", user.groups}};
    if (output == "json") std::printf("%s\n", object.dump().c_str());
    std::string groups;
    for (const std::string& group : user.groups) groups += (groups.empty() ? "" : " ") + group;
    rows.push_back({name, groups});
  }
  if (output == "text") PrintTable(rows);
  return arrow::Status::OK();
}

arrow::Status Remove(const std::string& name, const CredentialFileChoice& file) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, file.Path());
  return ChangeUsers(path, [&](Users& users) {
    return users.erase(name) > 0 ? arrow::Status::OK() : NoSuchUser(name);
  });
}

// A command on one user.
struct UserCommand {
  CLI::App* command = nullptr;
  std::shared_ptr<std::string> name = std::make_shared<std::string>();
  std::shared_ptr<CredentialFileChoice> file;
};

UserCommand AddOnOne(CLI::App& user, const std::string& name, const std::string& description) {
  UserCommand added{.command = user.add_subcommand(name, description)};
  added.command->add_option("USER", *added.name, "The user's name")
      ->required()
      ->check(NameProblem, "")
      ->type_name("");
  added.file = CredentialFileChoice::AddTo(*added.command, "user_file");
  return added;
}

void AddAdd(CLI::App& user, const ExitCode& set_exit_code) {
  const auto added = AddOnOne(
      user, "add", "Let somebody in by a password, which the terminal or standard input gives");
  auto groups = std::make_shared<std::vector<std::string>>();
  added.command
      ->add_option("--group", *groups,
                   "A group that the policy knows as group:NAME; can be repeated")
      ->check(NameProblem, "")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("NAME");
  added.command->footer(
      "Example:\n  hangar user add alice --group analysts --user-file users.toml");
  OnRun(*added.command, set_exit_code,
        [added, groups] { return Add(*added.name, *groups, *added.file); });
}

void AddList(CLI::App& user, const ExitCode& set_exit_code) {
  auto* command = user.add_subcommand("list", "List the users and their groups");
  const auto output = AddOutputOption(*command);
  const auto file = CredentialFileChoice::AddTo(*command, "user_file");
  command->footer("Example:\n  hangar user list --user-file users.toml");
  OnRun(*command, set_exit_code, [output, file] { return List(*output, *file); });
}

}  // namespace

void AddUserCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  auto* user = app.add_subcommand("user", "Add, list and remove users who log in by password");
  user->require_subcommand(1);
  AddAdd(*user, set_exit_code);
  AddList(*user, set_exit_code);
  const auto passwd =
      AddOnOne(*user, "passwd", "Give a user another password, which ends sessions");
  passwd.command->footer("Example:\n  hangar user passwd alice --user-file users.toml");
  OnRun(*passwd.command, set_exit_code,
        [passwd] { return ChangePassword(*passwd.name, *passwd.file); });
  const auto remove = AddOnOne(*user, "remove", "Let a user in no longer, which ends sessions");
  remove.command->footer("Example:\n  hangar user remove alice --user-file users.toml");
  OnRun(*remove.command, set_exit_code, [remove] { return Remove(*remove.name, *remove.file); });
}

}  // namespace hangar
