#include "access/identity.h"

namespace hangar {
namespace {

std::string_view Prefix(IdentityKind kind) {
  switch (kind) {
    case IdentityKind::kAnonymous:
      break;
    case IdentityKind::kUser:
      return "user:";
    case IdentityKind::kToken:
      return "token:";
    case IdentityKind::kFederated:
      return "jwt:";
    case IdentityKind::kCertificate:
      return "cert:";
  }
  return "anonymous";
}

}  // namespace

std::string Identity::ToString() const { return std::string(Prefix(kind)) + name; }

std::shared_ptr<const Identity> AnonymousIdentity() {
  static const auto anonymous = std::make_shared<const Identity>();
  return anonymous;
}

}  // namespace hangar
