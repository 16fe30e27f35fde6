#include "service/access_gate.h"

#include <format>
#include <utility>

#include "access/audit_log.h"
#include "access/policy_keeper.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

// What the action is called in "may not ...".
std::string_view Verb(AccessAction action) {
  switch (action) {
    case AccessAction::kRead:
      return "read";
    case AccessAction::kWrite:
      return "write";
    case AccessAction::kDrop:
      return "drop or rename";
    case AccessAction::kAdmin:
      break;
  }
  return "administer";
}

bool IsRefusal(const arrow::Status& status) {
  const ErrorKind kind = KindOf(status);
  return kind == ErrorKind::kPermissionDenied || kind == ErrorKind::kUnauthenticated;
}

}  // namespace

CallerRights::CallerRights(std::shared_ptr<const AccessPolicy> policy,
                           std::shared_ptr<AuditLog> audit, const Caller& caller)
    : policy_(std::move(policy)),
      audit_(std::move(audit)),
      identity_(caller.identity ? caller.identity : AnonymousIdentity()),
      peer_(caller.peer),
      trace_id_(caller.trace_id) {}

bool CallerRights::May(AccessAction action, std::string_view dataset) const {
  return policy_->Allows(*identity_, action, dataset);
}

bool CallerRights::MayEverywhere(AccessAction action) const {
  return policy_->AllowsEverywhere(*identity_, action);
}

HiddenColumns CallerRights::HiddenOf(std::string_view dataset) const {
  return policy_->HiddenFrom(*identity_, dataset);
}

arrow::Status CallerRights::Refusal(AccessAction action, const std::string& what) const {
  if (identity_->kind == IdentityKind::kAnonymous) {
    return Error(ErrorKind::kUnauthenticated,
                 "only those who show who they are may {} {}: send a token or log in", Verb(action),
                 what);
  }
  return Error(ErrorKind::kPermissionDenied, "{} may not {} {}", Quoted(identity_->ToString()),
               Verb(action), what);
}

arrow::Status CallerRights::Require(AccessAction action, std::string_view dataset) const {
  if (May(action, dataset)) return arrow::Status::OK();
  return Note(AccessActionName(action), std::string(dataset), Refusal(action, Quoted(dataset)));
}

arrow::Status CallerRights::RequireEverywhere(AccessAction action) const {
  if (MayEverywhere(action)) return arrow::Status::OK();
  return Note(AccessActionName(action), "", Refusal(action, "this server"));
}

arrow::Status CallerRights::RequireForList() const {
  if (identity_->kind != IdentityKind::kAnonymous ||
      policy_->AllowsAnywhere(*identity_, AccessAction::kRead)) {
    return arrow::Status::OK();
  }
  return Note("list", "", Refusal(AccessAction::kRead, "datasets of this server"));
}

arrow::Status CallerRights::Note(std::string_view change, const std::string& dataset,
                                 arrow::Status status, const std::string& version) const {
  if (audit_ == nullptr) return status;
  const char* const outcome = status.ok() ? "done" : IsRefusal(status) ? "refused" : "failed";
  audit_->Record({.action = std::string(change),
                  .outcome = outcome,
                  .identity = identity_->ToString(),
                  .peer = peer_,
                  .dataset = dataset,
                  .version = version,
                  .reason = status.ok() ? "" : status.message(),
                  .trace_id = trace_id_});
  return status;
}

arrow::Result<DatasetName> ParseName(const Caller& caller, const std::string& dataset) {
  ARROW_ASSIGN_OR_RAISE(DatasetName name, DatasetName::Parse(dataset));
  if (caller.activity) caller.activity->SetDataset(name.value());
  return name;
}

AccessGate::AccessGate(std::shared_ptr<PolicyKeeper> policy, std::shared_ptr<AuditLog> audit)
    : policy_(policy ? std::move(policy)
                     : std::make_shared<PolicyKeeper>(AccessPolicy::EveryoneMayAll())),
      audit_(std::move(audit)) {}

CallerRights AccessGate::RightsOf(const Caller& caller) const {
  return CallerRights(policy_->Current(), audit_, caller);
}

}  // namespace hangar
