#include "admin/check_access_files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>
#include <string>

#include "access/authenticator.h"
#include "access/policy_keeper.h"
#include "admin/check_secret_file.h"
#include "admin/quiet_logger.h"
#include "base/text.h"

namespace hangar {
namespace {

// Tries one of the sources of identities by itself, so that each has a line of its own.
void TryAuthenticator(std::string_view setting, const std::string& path,
                      const AuthenticatorOptions& options, std::string_view advice,
                      Findings& findings) {
  const auto authenticator = Authenticator::Make(options, QuietLogger());
  if (authenticator.ok()) {
    findings.Ok(setting, std::format("{} can be used", Quoted(path)));
  } else {
    findings.Problem(setting, authenticator.status().message(), std::string(advice));
  }
}

void CheckPolicy(const std::string& path, Findings& findings) {
  if (path.empty()) return;
  const auto policy = PolicyKeeper::OfFile(path, QuietLogger());
  if (policy.ok()) {
    findings.Ok("policy", std::format("{} can be used", Quoted(path)));
  } else {
    findings.Problem("policy", policy.status().message(),
                     "correct it; until then a server does not start with it, and one that runs "
                     "keeps to what the file said before");
  }
  CheckTrustedFile("policy", path, findings);
}

void CheckKeys(const Access& access, Findings& findings) {
  if (access.jwks.empty()) return;
  if (access.jwks.contains("://")) {
    findings.Ok("jwks", "an address; the server fetches the keys when the first token comes");
    return;
  }
  TryAuthenticator(
      "jwks", access.jwks,
      {.jwks = access.jwks, .jwt_issuer = access.jwt_issuer, .jwt_audience = access.jwt_audience},
      "give the provider's JSON web key set", findings);
  CheckTrustedFile("jwks", access.jwks, findings);
}

void CheckAuditLog(const std::string& path, Findings& findings) {
  if (path.empty() || path == "-") return;
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  const std::string folder = std::filesystem::absolute(path, error).parent_path();
  // A missing file is made when the server starts.
  const int may = exists ? ::access(path.c_str(), W_OK) : ::access(folder.c_str(), W_OK | X_OK);
  if (may == 0) {
    findings.Ok("audit_log", std::format("{} can be written", Quoted(path)));
  } else {
    findings.Problem("audit_log",
                     std::format("{} cannot be written: {}", Quoted(path), std::strerror(errno)),
                     "make its folder, and let the server's user write it");
  }
  CheckSecretFile("audit_log", path, findings);
}

}  // namespace

void CheckAccessFiles(const Access& access, Findings& findings) {
  if (!access.token_file.empty()) {
    TryAuthenticator("token_file", access.token_file, {.token_file = access.token_file},
                     "'hangar token create' makes such a file", findings);
    CheckSecretFile("token_file", access.token_file, findings);
  }
  if (!access.user_file.empty()) {
    TryAuthenticator("user_file", access.user_file, {.user_file = access.user_file},
                     "'hangar user add' makes such a file", findings);
    CheckSecretFile("user_file", access.user_file, findings);
  }
  if (!access.session_key.empty()) {
    TryAuthenticator("session_key", access.session_key,
                     {.user_file = access.user_file, .session_key = access.session_key},
                     "give it 32 bytes or more, as 'openssl rand -hex 32' makes them", findings);
    CheckSecretFile("session_key", access.session_key, findings);
  }
  CheckKeys(access, findings);
  CheckPolicy(access.policy, findings);
  CheckAuditLog(access.audit_log, findings);
}

}  // namespace hangar
