#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/audit_log.h"
#include "access/authenticator.h"
#include "access/policy_keeper.h"
#include "access/tls_files.h"
#include "base/log.h"
#include "config/options.h"

namespace hangar {

/// What encrypts the doors, who is asking there, what they may do, and what is noted of it.
struct AccessParts {
  DoorTls tls;
  std::shared_ptr<Authenticator> authenticator;
  std::shared_ptr<PolicyKeeper> policy;
  std::shared_ptr<AuditLog> audit;
};

/// What the settings say of access. Without a policy whoever shows who they are may do everything;
/// where nobody can, everybody may. Errors name the file and what is wrong with it.
arrow::Result<AccessParts> MakeAccessParts(const ServeOptions& options,
                                           std::shared_ptr<Logger> logger);

}  // namespace hangar
