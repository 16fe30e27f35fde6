#pragma once

#include "admin/findings.h"
#include "config/options.h"

namespace hangar {

/// Whether the server's certificate, its key and the authorities of clients can be used, now and
/// for the next 30 days, and what hosts the certificate names. Nothing is said where there is no
/// TLS.
void CheckCertificates(const Tls& tls, Findings& findings);

}  // namespace hangar
