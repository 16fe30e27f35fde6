#include "admin/token_command.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
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
#include "access/token_file.h"
#include "admin/credential_command.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "config/value_parsers.h"

namespace hangar {
namespace {

using ExitCode = std::function<void(int exit_code)>;

struct NewTokenOptions {
  std::string name;
  std::string expires;
  std::vector<std::string> grants;
};

// As CLI11 wants it of a check: what is wrong, or nothing.
std::string Problem(const arrow::Status& status) { return status.ok() ? "" : status.message(); }

Timestamp ThisSecond() { return std::chrono::floor<std::chrono::seconds>(Now()); }

arrow::Result<Timestamp> ParseExpires(const std::string& text) {
  const auto duration = ParseDuration(text);
  const auto time = duration.ok() ? ThisSecond() + *duration : ParseTimestamp(text);
  if (!time) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is neither a duration such as 30d nor a time such as 2026-12-31",
                 Quoted(text));
  }
  if (*time <= Now()) return Error(ErrorKind::kInvalidArgument, "{} is past", Quoted(text));
  return *time;
}

arrow::Result<TokenRecord> MakeRecord(const NewTokenOptions& options, const std::string& token) {
  TokenRecord record{.name = options.name, .hash = Sha256(token), .created = ThisSecond()};
  if (!options.expires.empty()) {
    ARROW_ASSIGN_OR_RAISE(record.expires, ParseExpires(options.expires));
  }
  for (const std::string& text : options.grants) {
    ARROW_ASSIGN_OR_RAISE(TokenGrant grant, ParseTokenGrant(text));
    record.grants.push_back(std::move(grant));
  }
  return record;
}

arrow::Status Create(const NewTokenOptions& options, const CredentialFileChoice& file) {
  ARROW_RETURN_NOT_OK(StartCrypto());
  ARROW_ASSIGN_OR_RAISE(const std::string path, file.Path());
  const std::string token = NewToken();
  ARROW_ASSIGN_OR_RAISE(const TokenRecord record, MakeRecord(options, token));
  ARROW_RETURN_NOT_OK(
      ChangeCredentialFile(path, [&](const std::string& text) -> arrow::Result<std::string> {
        ARROW_ASSIGN_OR_RAISE(auto tokens, ParseTokens(text, path));
        if (std::ranges::find(tokens, record.name, &TokenRecord::name) != tokens.end()) {
          return Error(ErrorKind::kAlreadyExists,
                       "there is a token {} already: revoke it first, or choose another name",
                       Quoted(record.name));
        }
        tokens.push_back(record);
        return FormatTokens(tokens);
      }));
  std::printf("%s\n", token.c_str());
  if (::isatty(STDOUT_FILENO) == 1) {
    std::fputs("hangar: this is the only time that the token is shown\n", stderr);
  }
  return arrow::Status::OK();
}

std::vector<std::string> GrantTexts(const TokenRecord& token) {
  std::vector<std::string> texts;
  for (const TokenGrant& grant : token.grants) texts.push_back(grant.action + ":" + grant.glob);
  return texts;
}

void PrintAsJson(const TokenRecord& token) {
  nlohmann::ordered_json object = {{"name", token.name},
                                   {"created", FormatTokenTime(token.created)}};
  if (token.expires) object["expires"] = FormatTokenTime(*token.expires);
  object["expired"] = token.IsExpired(Now());
  object["grants"] = GrantTexts(token);
  std::printf("%s\n", object.dump().c_str());
}

std::vector<std::string> TableRow(const TokenRecord& token) {
  std::string expires = token.expires ? FormatTokenTime(*token.expires) : "never";
  if (token.IsExpired(Now())) expires += " (expired)";
  std::string grants;
  for (const std::string& grant : GrantTexts(token)) grants += (grants.empty() ? "" : " ") + grant;
  return {token.name, FormatTokenTime(token.created), expires, grants};
}

arrow::Status List(const std::string& output, const CredentialFileChoice& file) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, file.Path());
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadCredentialFile(path));
  ARROW_ASSIGN_OR_RAISE(const auto tokens, ParseTokens(text, path));
  std::vector<std::vector<std::string>> rows = {{"NAME", "CREATED", "EXPIRES", "GRANTS"}};
  for (const TokenRecord& token : tokens) {
    if (output == "json") PrintAsJson(token);
    rows.push_back(TableRow(token));
  }
  if (output == "text") PrintTable(rows);
  return arrow::Status::OK();
}

arrow::Status Revoke(const std::string& name, const CredentialFileChoice& file) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, file.Path());
  return ChangeCredentialFile(path, [&](const std::string& text) -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(auto tokens, ParseTokens(text, path));
    const auto is_it = [&](const TokenRecord& token) { return token.name == name; };
    if (std::erase_if(tokens, is_it) == 0) {
      return Error(ErrorKind::kNotFound, "there is no token {}", Quoted(name));
    }
    return FormatTokens(tokens);
  });
}

void AddCreate(CLI::App& token, const ExitCode& set_exit_code) {
  auto* command = token.add_subcommand("create", "Make a token and print it, this once");
  auto options = std::make_shared<NewTokenOptions>();
  command->add_option("--name", options->name, "What the policy and logs call it: token:NAME")
      ->required()
      ->check([](const std::string& name) { return Problem(CheckAccountName(name)); }, "")
      ->type_name("NAME");
  command
      ->add_option("--expires", options->expires,
                   "When it ends: 30d, or a time as 2026-12-31 [never]")
      ->check([](const std::string& text) { return Problem(ParseExpires(text).status()); }, "")
      ->type_name("WHEN");
  command
      ->add_option("--grant", options->grants,
                   "What it may do beside what the policy says: read, write, drop or admin on "
                   "names, as 'read:sales/**'; can be repeated")
      ->check([](const std::string& text) { return Problem(ParseTokenGrant(text).status()); }, "")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("ACTION:GLOB");
  const auto file = CredentialFileChoice::AddTo(*command, "token_file");
  command->footer(
      "Example:\n  hangar token create --name nightly --expires 90d --grant "
      "'read:sales/**' --token-file tokens.toml");
  OnRun(*command, set_exit_code, [options, file] { return Create(*options, *file); });
}

void AddList(CLI::App& token, const ExitCode& set_exit_code) {
  auto* command = token.add_subcommand("list", "List the tokens, without what shows them");
  const auto output = AddOutputOption(*command);
  const auto file = CredentialFileChoice::AddTo(*command, "token_file");
  command->footer("Example:\n  hangar token list --token-file tokens.toml");
  OnRun(*command, set_exit_code, [output, file] { return List(*output, *file); });
}

void AddRevoke(CLI::App& token, const ExitCode& set_exit_code) {
  auto* command = token.add_subcommand("revoke", "Take a token's worth away, for good");
  auto name = std::make_shared<std::string>();
  command->add_option("TOKEN", *name, "The token's name")->required()->type_name("");
  const auto file = CredentialFileChoice::AddTo(*command, "token_file");
  command->footer("Example:\n  hangar token revoke nightly --token-file tokens.toml");
  OnRun(*command, set_exit_code, [name, file] { return Revoke(*name, *file); });
}

}  // namespace

void AddTokenCommand(CLI::App& app, std::function<void(int exit_code)> set_exit_code) {
  auto* token = app.add_subcommand("token", "Make, list and revoke tokens that the server accepts");
  token->require_subcommand(1);
  AddCreate(*token, set_exit_code);
  AddList(*token, set_exit_code);
  AddRevoke(*token, set_exit_code);
}

}  // namespace hangar
