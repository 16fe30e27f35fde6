#include "access/policy_keeper.h"

#include <utility>

#include "base/text.h"

namespace hangar {

arrow::Result<std::shared_ptr<PolicyKeeper>> PolicyKeeper::OfFile(const std::string& path,
                                                                  std::shared_ptr<Logger> logger) {
  std::shared_ptr<PolicyKeeper> keeper(
      new PolicyKeeper(std::make_unique<WatchedFile>(path), std::move(logger)));
  ARROW_RETURN_NOT_OK(keeper->Reload());
  return keeper;
}

arrow::Status PolicyKeeper::Take(const std::string& toml) {
  ARROW_ASSIGN_OR_RAISE(auto policy,
                        AccessPolicy::Parse(toml, "the policy " + Quoted(file_->path())));
  const MutexLock lock(mutex_);
  policy_ = std::move(policy);
  return arrow::Status::OK();
}

arrow::Status PolicyKeeper::Reload() {
  if (file_ == nullptr) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string toml, file_->Read());
  return Take(toml);
}

std::shared_ptr<const AccessPolicy> PolicyKeeper::Current() {
  if (file_ != nullptr) {
    auto changed = file_->ReadIfChanged();
    const auto taken = !changed.ok() ? changed.status()
                       : *changed    ? Take(**changed)
                                     : arrow::Status::OK();
    if (!taken.ok()) {
      logger_->Error("the changed policy is not taken; the one before it stays in force",
                     {{"reason", taken.message()}});
    } else if (*changed) {
      logger_->Info("the changed policy is in force", {{"file", file_->path()}});
    }
  }
  const MutexLock lock(mutex_);
  return policy_;
}

}  // namespace hangar
