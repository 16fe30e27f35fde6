#include "admin/access_command.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "access/credential_file.h"
#include "access/identity.h"
#include "access/policy_keeper.h"
#include "access/token_file.h"
#include "access/user_file.h"
#include "admin/quiet_logger.h"
#include "base/error.h"
#include "base/text.h"
#include "config/load.h"

namespace hangar {
namespace {

constexpr int kExitRefused = 3;

struct Question {
  std::string who;
  std::vector<std::string> groups;
  std::string action;
  std::string dataset;
  std::optional<std::string> config;
  std::optional<std::string> policy;
};

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// Settings that do not go together are the server's matter.
ServeOptions SettingsFor(const Question& question) {
  SettingSources sources{.file = question.config, .environment = FromEnvironment};
  if (question.policy) sources.flags["policy"] = {*question.policy};
  return LoadSettings(sources).options;
}

arrow::Result<Identity> ParseWho(const std::string& who) {
  constexpr std::array<std::pair<std::string_view, IdentityKind>, 4> kKinds = {
      {{"user:", IdentityKind::kUser},
       {"token:", IdentityKind::kToken},
       {"jwt:", IdentityKind::kFederated},
       {"cert:", IdentityKind::kCertificate}}};
  if (who == "anonymous") return Identity{};
  for (const auto& [prefix, kind] : kKinds) {
    if (who.starts_with(prefix) && who.size() > prefix.size()) {
      return Identity{.kind = kind, .name = who.substr(prefix.size())};
    }
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} is none of user:NAME, token:NAME, jwt:NAME, cert:NAME and anonymous",
               Quoted(who));
}

// What the server would know of a user or a token beside their name.
arrow::Status AddWhatFilesSay(const ServeOptions& options, Identity& identity) {
  if (identity.kind == IdentityKind::kToken && !options.access.token_file.empty()) {
    const std::string& path = options.access.token_file;
    ARROW_ASSIGN_OR_RAISE(const std::string text, ReadCredentialFile(path));
    ARROW_ASSIGN_OR_RAISE(const auto tokens, ParseTokens(text, path));
    const auto token = std::ranges::find(tokens, identity.name, &TokenRecord::name);
    if (token == tokens.end()) {
      return Error(ErrorKind::kNotFound, "there is no token {}", Quoted(identity.name));
    }
    identity.grants = token->grants;
  }
  if (identity.kind == IdentityKind::kUser && !options.access.user_file.empty()) {
    const std::string& path = options.access.user_file;
    ARROW_ASSIGN_OR_RAISE(const std::string text, ReadCredentialFile(path));
    ARROW_ASSIGN_OR_RAISE(const Users users, ParseUsers(text, path));
    const auto user = users.find(identity.name);
    if (user == users.end()) {
      return Error(ErrorKind::kNotFound, "there is no user {}", Quoted(identity.name));
    }
    identity.groups.insert(identity.groups.end(), user->second.groups.begin(),
                           user->second.groups.end());
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<const AccessPolicy>> PolicyOf(const ServeOptions& options) {
  const Access& access = options.access;
  if (!access.policy.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto keeper, PolicyKeeper::OfFile(access.policy, QuietLogger()));
    return keeper->Current();
  }
  const bool is_authenticated = !access.token_file.empty() || !access.user_file.empty() ||
                                !access.jwks.empty() || !options.tls.client_ca.empty();
  return is_authenticated ? AccessPolicy::AuthenticatedMayAll() : AccessPolicy::EveryoneMayAll();
}

arrow::Result<bool> Explain(const Question& question) {
  const ServeOptions options = SettingsFor(question);
  ARROW_ASSIGN_OR_RAISE(Identity identity, ParseWho(question.who));
  identity.groups = question.groups;
  ARROW_RETURN_NOT_OK(AddWhatFilesSay(options, identity));
  ARROW_ASSIGN_OR_RAISE(const AccessAction action, ParseAccessAction(question.action));
  ARROW_ASSIGN_OR_RAISE(const auto policy, PolicyOf(options));
  const AccessDecision decision = policy->Explain(identity, action, question.dataset);
  std::printf("%s: %s\n", decision.allowed ? "allowed" : "refused", decision.reason.c_str());
  if (decision.allowed && action == AccessAction::kRead &&
      !policy->HiddenFrom(identity, question.dataset).empty()) {
    std::printf("columns that every role of theirs hides are left out\n");
  }
  return decision.allowed;
}

int Run(const Question& question) {
  const auto allowed = Explain(question);
  if (allowed.ok()) return *allowed ? 0 : kExitRefused;
  const arrow::Status& status = allowed.status();
  std::fprintf(stderr, "hangar: %s\n",
               HasErrorKind(status) ? status.message().c_str()
                                    : status.ToStringWithoutContextLines().c_str());
  return 1;
}

}  // namespace

void AddAccessCommand(CLI::App& app, const std::function<void(int exit_code)>& set_exit_code) {
  auto* access = app.add_subcommand("access", "Ask who may do what");
  access->require_subcommand(1);
  auto* explain = access->add_subcommand(
      "explain", "Say whether somebody may do something, and which rule decides");
  auto question = std::make_shared<Question>();
  explain
      ->add_option("--as", question->who, "user:NAME, token:NAME, jwt:NAME, cert:NAME, anonymous")
      ->required()
      ->type_name("WHO");
  explain
      ->add_option("--group", question->groups,
                   "A group that an identity provider names for them, can be repeated")
      ->type_name("GROUP");
  explain->add_option("ACTION", question->action, "read, write, drop or admin")
      ->required()
      ->type_name("");
  explain->add_option("NAME", question->dataset, "A dataset's name")->required()->type_name("");
  explain
      ->add_option("--policy", question->policy,
                   "The policy [what the server has by --config, or HANGAR_POLICY]")
      ->type_name("FILE");
  explain->add_option("--config", question->config, "The server's configuration file")
      ->envname("HANGAR_CONFIG")
      ->type_name("FILE");
  explain->footer(
      "The exit code is 0 when they may, 3 when they may not.\n\n"
      "Example:\n  hangar access explain --policy policy.toml --as user:ann read sales/eu");
  explain->callback([question, set_exit_code] { set_exit_code(Run(*question)); });
}

}  // namespace hangar
