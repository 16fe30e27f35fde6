#include "access/policy.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kPolicy = R"(
[roles.analyst]
members = ["group:analysts", "user:bob", "token:nightly"]
read = ["sales/**"]
hide_columns = ["customer_*", "ssn"]

[roles.loader]
members = ["cert:loader.example.org", "user:bob"]
read = ["sales/eu/*"]
write = ["sales/eu/*"]
drop = ["sales/eu/tmp-*"]
hide_columns = ["ssn"]

[roles.operator]
members = ["jwt:4711"]
admin = ["**"]

[roles.public]
members = ["everyone"]
read = ["public/**"]

[roles.staff]
members = ["authenticated"]
read = ["staff/**"]
)";

std::shared_ptr<const AccessPolicy> Parsed(std::string_view toml) {
  return AccessPolicy::Parse(toml, "policy.toml").ValueOrDie();
}

Identity User(std::string name, std::vector<std::string> groups = {}) {
  return {.kind = IdentityKind::kUser, .name = std::move(name), .groups = std::move(groups)};
}

Identity Token(std::string name, std::vector<TokenGrant> grants) {
  return {.kind = IdentityKind::kToken, .name = std::move(name), .grants = std::move(grants)};
}

const Identity kAnonymous{};
const Identity kOperator{.kind = IdentityKind::kFederated, .name = "4711"};

TEST(AccessPolicy, AllowsMembersOfARoleWhatItSays) {
  const auto policy = Parsed(kPolicy);
  EXPECT_TRUE(policy->Allows(User("bob"), AccessAction::kRead, "sales/2026/us"));
  EXPECT_TRUE(policy->Allows(User("bob"), AccessAction::kWrite, "sales/eu/x"));
  EXPECT_TRUE(policy->Allows(User("bob"), AccessAction::kDrop, "sales/eu/tmp-1"));
  EXPECT_TRUE(policy->Allows(User("eve", {"analysts"}), AccessAction::kRead, "sales/a"));
  EXPECT_TRUE(policy->Allows({.kind = IdentityKind::kCertificate, .name = "loader.example.org"},
                             AccessAction::kWrite, "sales/eu/x"));
}

TEST(AccessPolicy, AllowsNothingElse) {
  const auto policy = Parsed(kPolicy);
  EXPECT_FALSE(policy->Allows(User("bob"), AccessAction::kWrite, "sales/us/x"));
  EXPECT_FALSE(policy->Allows(User("bob"), AccessAction::kDrop, "sales/eu/x"));
  EXPECT_FALSE(policy->Allows(User("bob"), AccessAction::kAdmin, "sales/eu/x"));
  EXPECT_FALSE(policy->Allows(User("eve"), AccessAction::kRead, "sales/a"));
  EXPECT_FALSE(policy->Allows(User("eve", {"analyst"}), AccessAction::kRead, "sales/a"));
}

TEST(AccessPolicy, AUserIsNotATokenOrAFederatedOneOfTheSameName) {
  const auto policy = Parsed(kPolicy);
  EXPECT_FALSE(policy->Allows({.kind = IdentityKind::kFederated, .name = "bob"},
                              AccessAction::kRead, "sales/a"));
  EXPECT_FALSE(policy->Allows(Token("bob", {}), AccessAction::kRead, "sales/a"));
  EXPECT_FALSE(policy->Allows(User("4711"), AccessAction::kRead, "sales/a"));
  // A name that looks like a member does not become one.
  EXPECT_FALSE(policy->Allows(User("everyone"), AccessAction::kRead, "sales/a"));
  EXPECT_FALSE(policy->Allows(User("x", {"user:bob"}), AccessAction::kRead, "sales/a"));
}

TEST(AccessPolicy, AdminIncludesTheOtherActions) {
  const auto policy = Parsed(kPolicy);
  for (const auto action :
       {AccessAction::kRead, AccessAction::kWrite, AccessAction::kDrop, AccessAction::kAdmin}) {
    EXPECT_TRUE(policy->Allows(kOperator, action, "any/thing")) << AccessActionName(action);
    EXPECT_TRUE(policy->AllowsEverywhere(kOperator, action)) << AccessActionName(action);
    EXPECT_FALSE(policy->AllowsEverywhere(User("bob"), action)) << AccessActionName(action);
  }
}

TEST(AccessPolicy, EveryoneIsAlsoWhoShowedNothingAndAuthenticatedIsNot) {
  const auto policy = Parsed(kPolicy);
  EXPECT_TRUE(policy->Allows(kAnonymous, AccessAction::kRead, "public/a"));
  EXPECT_TRUE(policy->Allows(User("eve"), AccessAction::kRead, "public/a"));
  EXPECT_FALSE(policy->Allows(kAnonymous, AccessAction::kRead, "staff/a"));
  EXPECT_TRUE(policy->Allows(User("eve"), AccessAction::kRead, "staff/a"));
  EXPECT_FALSE(policy->Allows(kAnonymous, AccessAction::kWrite, "public/a"));
}

TEST(AccessPolicy, HidesAColumnWhereEachRoleThatLetsThemReadHidesIt) {
  const auto policy = Parsed(kPolicy);
  const auto analyst = policy->HiddenFrom(User("eve", {"analysts"}), "sales/eu/x");
  EXPECT_TRUE(analyst.Hides("customer_name"));
  EXPECT_TRUE(analyst.Hides("ssn"));
  EXPECT_FALSE(analyst.Hides("amount"));
  const auto both = policy->HiddenFrom(User("bob"), "sales/eu/x");
  EXPECT_FALSE(both.Hides("customer_name"));
  EXPECT_TRUE(both.Hides("ssn"));
  EXPECT_TRUE(policy->HiddenFrom(kOperator, "sales/eu/x").empty());
  EXPECT_FALSE(policy->HiddenFrom(User("eve"), "public/a").Hides("ssn"));
}

TEST(AccessPolicy, ATokenMayAlsoDoWhatItsGrantsSay) {
  const auto policy = Parsed(kPolicy);
  const Identity token = Token("nightly", {{.action = "write", .glob = "out/*"}});
  EXPECT_TRUE(policy->Allows(token, AccessAction::kRead, "sales/a"));
  EXPECT_TRUE(policy->Allows(token, AccessAction::kWrite, "out/a"));
  EXPECT_FALSE(policy->Allows(token, AccessAction::kRead, "out/a"));
}

TEST(AccessPolicy, WithoutRolesATokenMayDoItsGrantsAndNoMore) {
  const auto policy = AccessPolicy::AuthenticatedMayAll();
  const Identity token = Token("ci", {{.action = "read", .glob = "**"}});
  EXPECT_TRUE(policy->Allows(token, AccessAction::kRead, "a"));
  EXPECT_TRUE(policy->AllowsEverywhere(token, AccessAction::kRead));
  EXPECT_FALSE(policy->Allows(token, AccessAction::kWrite, "a"));
  EXPECT_TRUE(policy->Allows(Token("all", {}), AccessAction::kAdmin, "a"));
  EXPECT_FALSE(policy->Allows(kAnonymous, AccessAction::kRead, "a"));
  EXPECT_TRUE(AccessPolicy::EveryoneMayAll()->Allows(kAnonymous, AccessAction::kAdmin, "a"));
}

TEST(AccessPolicy, ExplainsWhichRuleDecided) {
  const auto policy = Parsed(kPolicy);
  const auto allowed =
      policy->Explain(User("eve", {"analysts"}), AccessAction::kRead, "sales/2026/us");
  EXPECT_TRUE(allowed.allowed);
  EXPECT_EQ(allowed.reason,
            "the role 'analyst' allows read on 'sales/**', and 'user:eve' is in it as "
            "'group:analysts'");
  const auto refused = policy->Explain(User("bob"), AccessAction::kDrop, "sales/eu/x");
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.reason,
            "'user:bob' is in 'analyst', 'loader', 'public', 'staff', none of which allows drop on "
            "'sales/eu/x'");
}

TEST(AccessPolicy, ExplainsAsItDecides) {
  const auto policy = Parsed(kPolicy);
  for (const Identity& identity : {kAnonymous, User("bob"), User("eve", {"analysts"}), kOperator,
                                   Token("nightly", {{.action = "admin", .glob = "t/*"}})}) {
    for (const char* dataset : {"sales/eu/x", "sales/eu/tmp-1", "public/a", "staff/a", "t/1"}) {
      for (const auto action :
           {AccessAction::kRead, AccessAction::kWrite, AccessAction::kDrop, AccessAction::kAdmin}) {
        EXPECT_EQ(policy->Allows(identity, action, dataset),
                  policy->Explain(identity, action, dataset).allowed)
            << identity.ToString() << " " << AccessActionName(action) << " " << dataset;
      }
    }
  }
}

struct WrongPolicy {
  const char* toml;
  const char* message;
};

class WrongPolicyTest : public ::testing::TestWithParam<WrongPolicy> {};

TEST_P(WrongPolicyTest, IsRefusedAsAWholeNamingTheLine) {
  const auto parsed = AccessPolicy::Parse(GetParam().toml, "policy.toml");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInvalidArgument);
  EXPECT_THAT(parsed.status().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    AccessPolicy, WrongPolicyTest,
    ::testing::Values(
        WrongPolicy{"[roles.a\n", "line 1, is not TOML"},
        WrongPolicy{"\nrule = 1\n", "line 2, has the unknown key 'rule'"},
        WrongPolicy{"roles = 1\n", "has 'roles' not as tables"},
        WrongPolicy{"[roles]\na = 1\n", "line 2, has a role that is not a table"},
        WrongPolicy{"[roles.a]\nreed = ['x']\n", "line 2, has the unknown key 'reed'"},
        WrongPolicy{"[roles.a]\nread = 'x'\n", "line 2, has 'read' not as an array"},
        WrongPolicy{"[roles.a]\nread = [1]\n", "something in 'read' that is not a string"},
        WrongPolicy{"[roles.a]\nread = ['']\n", "a glob of 0 bytes"},
        WrongPolicy{"[roles.a]\nmembers = ['bob']\n", "has the member 'bob'"},
        WrongPolicy{"[roles.a]\nmembers = ['user:']\n", "has the member 'user:'"}));

TEST(AccessPolicy, AnEmptyOneAllowsNothing) {
  EXPECT_FALSE(Parsed("")->Allows(User("bob"), AccessAction::kRead, "a"));
}

}  // namespace
}  // namespace hangar
