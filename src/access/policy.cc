#include "access/policy.h"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <utility>

#include <toml++/toml.hpp>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr std::string_view kEveryone = "everyone";
constexpr std::string_view kAuthenticated = "authenticated";
constexpr std::string_view kMemberPrefixes[] = {"user:", "token:", "jwt:", "cert:", "group:"};
// Matching takes time by a glob's length for each name.
constexpr size_t kGlobBytesMax = 4096;

constexpr std::array kActions = {AccessAction::kRead, AccessAction::kWrite, AccessAction::kDrop,
                                 AccessAction::kAdmin};

using Texts = std::vector<std::string>;

struct Role {
  std::string name;
  Texts members;
  std::array<Texts, kActions.size()> globs;  // By action.
  Texts hidden_columns;

  const Texts& GlobsOf(AccessAction action) const { return globs[static_cast<size_t>(action)]; }
};

bool IsKnown(const Identity& identity) { return identity.kind != IdentityKind::kAnonymous; }

// The member by which somebody is in a role.
std::optional<std::string_view> MemberOf(const Role& role, const Identity& identity) {
  const std::string self = identity.ToString();
  for (const std::string& member : role.members) {
    if (member == kEveryone) return member;
    if (!IsKnown(identity)) continue;
    if (member == kAuthenticated || member == self) return member;
    constexpr std::string_view kGroup = "group:";
    if (!member.starts_with(kGroup)) continue;
    const std::string_view group = std::string_view(member).substr(kGroup.size());
    if (std::ranges::find(identity.groups, group) != identity.groups.end()) return member;
  }
  return std::nullopt;
}

bool MatchesEverything(std::string_view glob) { return glob == "**"; }
bool MatchesSomething(std::string_view) { return true; }

// What allows an action on a name: the glob, and whether it is one of the action or of admin.
struct Allowing {
  AccessAction action = AccessAction::kAdmin;
  std::string_view glob;
};

template <typename Matches>
std::optional<Allowing> FindGlob(const Role& role, AccessAction action, const Matches& matches) {
  for (const AccessAction of : {action, AccessAction::kAdmin}) {
    for (const std::string& glob : role.GlobsOf(of)) {
      if (matches(glob)) return Allowing{.action = of, .glob = glob};
    }
  }
  return std::nullopt;
}

template <typename Matches>
const TokenGrant* FindGrant(const Identity& identity, AccessAction action, const Matches& matches) {
  for (const TokenGrant& grant : identity.grants) {
    const bool is_of_action = grant.action == AccessActionName(action) ||
                              grant.action == AccessActionName(AccessAction::kAdmin);
    if (is_of_action && matches(grant.glob)) return &grant;
  }
  return nullptr;
}

auto MatchesName(std::string_view dataset) {
  return [dataset](std::string_view glob) { return GlobMatches(glob, dataset); };
}

std::string Listed(const Texts& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + Quoted(name);
  return text;
}

AccessDecision ExplainGrant(const Identity& identity, const TokenGrant& grant) {
  return {.allowed = true,
          .reason = std::format("the token {} itself has the grant {}", Quoted(identity.name),
                                Quoted(grant.action + ":" + grant.glob))};
}

// What a file of roles says.
class RolePolicy final : public AccessPolicy {
 public:
  explicit RolePolicy(std::vector<Role> roles) : roles_(std::move(roles)) {}

  bool Allows(const Identity& identity, AccessAction action,
              std::string_view dataset) const override {
    return AllowsWhere(identity, action, MatchesName(dataset));
  }

  bool AllowsEverywhere(const Identity& identity, AccessAction action) const override {
    return AllowsWhere(identity, action, MatchesEverything);
  }

  bool AllowsAnywhere(const Identity& identity, AccessAction action) const override {
    return AllowsWhere(identity, action, MatchesSomething);
  }

  AccessDecision Explain(const Identity& identity, AccessAction action,
                         std::string_view dataset) const override {
    if (const TokenGrant* grant = FindGrant(identity, action, MatchesName(dataset))) {
      return ExplainGrant(identity, *grant);
    }
    Texts roles_of_theirs;
    for (const Role& role : roles_) {
      const auto member = MemberOf(role, identity);
      if (!member) continue;
      roles_of_theirs.push_back(role.name);
      const auto allowing = FindGlob(role, action, MatchesName(dataset));
      if (!allowing) continue;
      return {.allowed = true,
              .reason = std::format("the role {} allows {} on {}, and {} is in it as {}",
                                    Quoted(role.name), AccessActionName(allowing->action),
                                    Quoted(allowing->glob), Quoted(identity.ToString()),
                                    Quoted(*member))};
    }
    if (roles_of_theirs.empty()) {
      return {.reason = std::format("{} is in no role", Quoted(identity.ToString()))};
    }
    return {.reason = std::format("{} is in {}, none of which allows {} on {}",
                                  Quoted(identity.ToString()), Listed(roles_of_theirs),
                                  AccessActionName(action), Quoted(dataset))};
  }

  HiddenColumns HiddenFrom(const Identity& identity, std::string_view dataset) const override {
    const auto matches = MatchesName(dataset);
    if (FindGrant(identity, AccessAction::kRead, matches) != nullptr) return {};
    std::vector<Texts> by_role;
    for (const Role& role : roles_) {
      if (!FindGlob(role, AccessAction::kRead, matches) || !MemberOf(role, identity)) continue;
      if (role.hidden_columns.empty()) return {};
      by_role.push_back(role.hidden_columns);
    }
    return HiddenColumns(std::move(by_role));
  }

 private:
  template <typename Matches>
  bool AllowsWhere(const Identity& identity, AccessAction action, const Matches& matches) const {
    if (FindGrant(identity, action, matches) != nullptr) return true;
    return std::ranges::any_of(roles_, [&](const Role& role) {
      return FindGlob(role, action, matches) && MemberOf(role, identity);
    });
  }

  const std::vector<Role> roles_;
};

// Where there is no file: all, or all who showed who they are.
class PolicyWithoutRoles final : public AccessPolicy {
 public:
  explicit PolicyWithoutRoles(bool for_everyone) : for_everyone_(for_everyone) {}

  bool Allows(const Identity& identity, AccessAction action,
              std::string_view dataset) const override {
    if (for_everyone_) return true;
    if (identity.grants.empty()) return IsKnown(identity);
    return FindGrant(identity, action, MatchesName(dataset)) != nullptr;
  }

  bool AllowsEverywhere(const Identity& identity, AccessAction action) const override {
    if (for_everyone_) return true;
    if (identity.grants.empty()) return IsKnown(identity);
    return FindGrant(identity, action, MatchesEverything) != nullptr;
  }

  bool AllowsAnywhere(const Identity& identity, AccessAction action) const override {
    if (for_everyone_) return true;
    if (identity.grants.empty()) return IsKnown(identity);
    return FindGrant(identity, action, MatchesSomething) != nullptr;
  }

  AccessDecision Explain(const Identity& identity, AccessAction action,
                         std::string_view dataset) const override {
    if (for_everyone_) {
      return {.allowed = true, .reason = "there is neither a policy nor authentication"};
    }
    if (!IsKnown(identity)) {
      return {.reason = "there is no policy, so only those who show who they are may do anything"};
    }
    if (identity.grants.empty()) {
      return {.allowed = true,
              .reason = "there is no policy, so whoever shows who they are may do everything"};
    }
    if (const TokenGrant* grant = FindGrant(identity, action, MatchesName(dataset))) {
      return ExplainGrant(identity, *grant);
    }
    return {.reason =
                std::format("none of the grants of the token {} allows {} on {}",
                            Quoted(identity.name), AccessActionName(action), Quoted(dataset))};
  }

  HiddenColumns HiddenFrom(const Identity&, std::string_view) const override { return {}; }

 private:
  const bool for_everyone_;
};

// Reads the file; errors name its lines.
class PolicyParser {
 public:
  explicit PolicyParser(const std::string& source) : source_(source) {}

  arrow::Result<std::vector<Role>> Parse(const toml::table& file) {
    for (const auto& [key, node] : file) {
      if (key.str() != "roles") {
        return Wrong(node, std::format("has the unknown key {}; all there is are tables "
                                       "[roles.NAME]",
                                       Quoted(key.str())));
      }
    }
    std::vector<Role> roles;
    const toml::node* node = file.get("roles");
    if (node == nullptr) return roles;
    if (!node->is_table()) return Wrong(*node, "has 'roles' not as tables [roles.NAME]");
    for (const auto& [name, role] : *node->as_table()) {
      ARROW_ASSIGN_OR_RAISE(roles.emplace_back(), ParseRole(std::string(name.str()), role));
    }
    return roles;
  }

 private:
  arrow::Status Wrong(const toml::node& node, const std::string& what) const {
    return Error(ErrorKind::kInvalidArgument, "{}, line {}, {}", source_, node.source().begin.line,
                 what);
  }

  arrow::Result<Role> ParseRole(std::string name, const toml::node& node) const {
    if (!node.is_table()) return Wrong(node, "has a role that is not a table [roles.NAME]");
    Role role{.name = std::move(name), .members = {}, .globs = {}, .hidden_columns = {}};
    for (const auto& [key, value] : *node.as_table()) {
      ARROW_ASSIGN_OR_RAISE(Texts texts, ParseTexts(key.str(), value));
      if (key.str() == "members") {
        ARROW_RETURN_NOT_OK(CheckMembers(texts, value));
        role.members = std::move(texts);
        continue;
      }
      ARROW_RETURN_NOT_OK(CheckGlobs(texts, value));
      if (key.str() == "hide_columns") {
        role.hidden_columns = std::move(texts);
        continue;
      }
      const auto action = ParseAccessAction(key.str());
      if (!action.ok()) {
        return Wrong(value, std::format("has the unknown key {}; a role has members, read, write, "
                                        "drop, admin and hide_columns",
                                        Quoted(key.str())));
      }
      role.globs[static_cast<size_t>(*action)] = std::move(texts);
    }
    return role;
  }

  arrow::Result<Texts> ParseTexts(std::string_view key, const toml::node& node) const {
    const auto* array = node.as_array();
    if (array == nullptr) {
      return Wrong(node, std::format("has {} not as an array of strings", Quoted(key)));
    }
    Texts texts;
    for (const toml::node& item : *array) {
      if (!item.is_string()) {
        return Wrong(item, std::format("has something in {} that is not a string", Quoted(key)));
      }
      texts.push_back(item.as_string()->get());
    }
    return texts;
  }

  arrow::Status CheckMembers(const Texts& members, const toml::node& node) const {
    for (const std::string& member : members) {
      if (member == kEveryone || member == kAuthenticated) continue;
      const bool has_prefix = std::ranges::any_of(kMemberPrefixes, [&](std::string_view prefix) {
        return member.starts_with(prefix) && member.size() > prefix.size();
      });
      if (!has_prefix) {
        return Wrong(node, std::format("has the member {}; members are 'everyone', "
                                       "'authenticated', 'user:NAME', 'group:NAME', 'token:NAME', "
                                       "'jwt:NAME' and 'cert:NAME'",
                                       Quoted(member)));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status CheckGlobs(const Texts& globs, const toml::node& node) const {
    for (const std::string& glob : globs) {
      if (glob.empty() || glob.size() > kGlobBytesMax) {
        return Wrong(node, std::format("has a glob of {} bytes; it may have 1 to {}", glob.size(),
                                       kGlobBytesMax));
      }
    }
    return arrow::Status::OK();
  }

  const std::string& source_;
};

}  // namespace

std::string_view AccessActionName(AccessAction action) {
  switch (action) {
    case AccessAction::kRead:
      return "read";
    case AccessAction::kWrite:
      return "write";
    case AccessAction::kDrop:
      return "drop";
    case AccessAction::kAdmin:
      break;
  }
  return "admin";
}

arrow::Result<AccessAction> ParseAccessAction(std::string_view name) {
  for (const AccessAction action : kActions) {
    if (AccessActionName(action) == name) return action;
  }
  return Error(ErrorKind::kInvalidArgument, "{} is none of read, write, drop and admin",
               Quoted(name));
}

bool HiddenColumns::Hides(std::string_view column) const {
  return !by_role_.empty() && std::ranges::all_of(by_role_, [&](const Texts& globs) {
    return std::ranges::any_of(globs,
                               [&](const std::string& glob) { return GlobMatches(glob, column); });
  });
}

arrow::Result<std::shared_ptr<const AccessPolicy>> AccessPolicy::Parse(std::string_view toml,
                                                                       const std::string& source) {
  try {
    ARROW_ASSIGN_OR_RAISE(auto roles, PolicyParser(source).Parse(toml::parse(toml)));
    return std::make_shared<const RolePolicy>(std::move(roles));
  } catch (const toml::parse_error& error) {
    return Error(ErrorKind::kInvalidArgument, "{}, line {}, is not TOML: {}", source,
                 error.source().begin.line, error.description());
  }
}

std::shared_ptr<const AccessPolicy> AccessPolicy::AuthenticatedMayAll() {
  return std::make_shared<const PolicyWithoutRoles>(/*for_everyone=*/false);
}

std::shared_ptr<const AccessPolicy> AccessPolicy::EveryoneMayAll() {
  return std::make_shared<const PolicyWithoutRoles>(/*for_everyone=*/true);
}

}  // namespace hangar
