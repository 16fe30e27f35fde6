#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/policy.h"
#include "catalog/dataset_name.h"
#include "service/caller.h"

namespace hangar {

class AuditLog;
class PolicyKeeper;

/// What one caller may do, by the policy that was in force when the use case began: a policy that
/// changes meanwhile does not split it. Notes refusals and changes in the audit log. Cheap to copy.
/// Thread-safe.
class CallerRights {
 public:
  CallerRights(std::shared_ptr<const AccessPolicy> policy, std::shared_ptr<AuditLog> audit,
               const Caller& caller);

  /// OK, or UNAUTHENTICATED for somebody who did not show who they are, and PERMISSION_DENIED for
  /// others; in words that do not depend on whether there is such a dataset. To be asked before the
  /// store is.
  arrow::Status Require(AccessAction action, std::string_view dataset) const;
  /// As Require, of every dataset there is.
  arrow::Status RequireEverywhere(AccessAction action) const;

  /// Somebody who did not show who they are and may read nothing has forgotten to, rather than
  /// wants to see an empty list: UNAUTHENTICATED.
  arrow::Status RequireForList() const;

  bool May(AccessAction action, std::string_view dataset) const;
  bool MayEverywhere(AccessAction action) const;
  HiddenColumns HiddenOf(std::string_view dataset) const;

  /// Notes that something was changed, or why it was not, and hands the status on. `version` is
  /// what came of it, where something did.
  arrow::Status Note(std::string_view change, const std::string& dataset, arrow::Status status,
                     const std::string& version = "") const;

 private:
  arrow::Status Refusal(AccessAction action, const std::string& what) const;

  const std::shared_ptr<const AccessPolicy> policy_;
  const std::shared_ptr<AuditLog> audit_;
  const std::shared_ptr<const Identity> identity_;
  const std::string peer_;
  const std::string trace_id_;
};

/// The name of what a use case is about, noted in the caller's activity. INVALID_ARGUMENT when it
/// is none.
arrow::Result<DatasetName> ParseName(const Caller& caller, const std::string& dataset);

/// Where every use case asks, once, what its caller may do. Thread-safe.
class AccessGate {
 public:
  /// Without a policy everybody may do everything; without an audit log nothing is noted.
  AccessGate(std::shared_ptr<PolicyKeeper> policy, std::shared_ptr<AuditLog> audit);

  CallerRights RightsOf(const Caller& caller) const;

 private:
  const std::shared_ptr<PolicyKeeper> policy_;
  const std::shared_ptr<AuditLog> audit_;
};

}  // namespace hangar
