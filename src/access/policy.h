#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/identity.h"

namespace hangar {

/// What can be done with a dataset. Admin on a name includes the others.
enum class AccessAction { kRead, kWrite, kDrop, kAdmin };

std::string_view AccessActionName(AccessAction action);
/// INVALID_ARGUMENT for a word that is no action.
arrow::Result<AccessAction> ParseAccessAction(std::string_view name);

/// An answer of the policy, and why: for `hangar access explain`.
struct AccessDecision {
  bool allowed = false;
  std::string reason;  ///< A sentence, which names the rule that decided.
};

/// The globs of columns that somebody may not see of one dataset; empty: they see all.
class HiddenColumns {
 public:
  HiddenColumns() = default;
  explicit HiddenColumns(std::vector<std::vector<std::string>> by_role)
      : by_role_(std::move(by_role)) {}

  bool empty() const { return by_role_.empty(); }
  /// True when every role that lets them read the dataset hides the column.
  bool Hides(std::string_view column) const;

 private:
  std::vector<std::vector<std::string>> by_role_;
};

/// Who may do what: roles that allow actions on globs of names, and their members. Immutable.
///
///     [roles.analyst]
///     members = ["group:analysts", "user:bob", "token:nightly"]
///     read = ["sales/**"]
///     hide_columns = ["customer_*"]
///
/// Members are `user:`, `token:`, `jwt:`, `cert:` and `group:` names, "authenticated" for all who
/// showed who they are and "everyone" for all. What no role allows is not allowed. Somebody in
/// several roles may do what any of them allows, and sees a column unless each role that lets them
/// read the dataset hides it.
class AccessPolicy {
 public:
  /// INVALID_ARGUMENT naming the line of what is wrong. `source` is how errors call the text.
  static arrow::Result<std::shared_ptr<const AccessPolicy>> Parse(std::string_view toml,
                                                                  const std::string& source);
  /// Allows whoever showed who they are everything, others nothing: what is in force where there
  /// is authentication and no policy. A token that has grants may do what these say.
  static std::shared_ptr<const AccessPolicy> AuthenticatedMayAll();
  /// Allows everybody everything: where there is neither.
  static std::shared_ptr<const AccessPolicy> EveryoneMayAll();

  virtual ~AccessPolicy() = default;

  virtual bool Allows(const Identity& identity, AccessAction action,
                      std::string_view dataset) const = 0;
  virtual AccessDecision Explain(const Identity& identity, AccessAction action,
                                 std::string_view dataset) const = 0;
  /// What of a dataset that they may read is hidden from them.
  virtual HiddenColumns HiddenFrom(const Identity& identity, std::string_view dataset) const = 0;
  /// Whether there may be a dataset that they may do it with.
  virtual bool AllowsAnywhere(const Identity& identity, AccessAction action) const = 0;
  /// Whether they may do it with every dataset there is or may come to be.
  virtual bool AllowsEverywhere(const Identity& identity, AccessAction action) const = 0;
};

}  // namespace hangar
