#pragma once

#include <string>

namespace hangar {

/// The PEM file of the certificate authorities that the system trusts: what SSL_CERT_FILE names, or
/// where the usual distributions have it; empty where there is none. libcurl knows the place of the
/// system that it was built for, and the program may run on another.
std::string SystemAuthorities();

}  // namespace hangar
