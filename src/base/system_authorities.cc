#include "base/system_authorities.h"

#include <unistd.h>

#include <cstdlib>

namespace hangar {

std::string SystemAuthorities() {
  constexpr const char* kPlaces[] = {
      "/etc/ssl/certs/ca-certificates.crt",  // Debian
      "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora
      "/etc/ssl/ca-bundle.pem",              // openSUSE
      "/etc/ssl/cert.pem",                   // Alpine
  };
  const char* chosen = std::getenv("SSL_CERT_FILE");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  for (const char* place : kPlaces) {
    if (::access(place, R_OK) == 0) return place;
  }
  return {};
}

}  // namespace hangar
