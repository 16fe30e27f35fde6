#pragma once

#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/identity.h"
#include "base/clock.h"

namespace hangar {

/// Whom a client certificate (PEM; the first one of it) shows, whose chain TLS has verified: its
/// first subject alternative name that is a DNS name, an URI or an e-mail address, or, where it has
/// none, its subject's one common name. UNAUTHENTICATED, saying why for the log, when there is no
/// such name, when it is empty, longer than 255 bytes or has a NUL, a space or a control character
/// in it, or when the certificate does not hold at `now`: connections outlive their handshake.
arrow::Result<std::shared_ptr<const Identity>> IdentityOfCertificate(const std::string& pem,
                                                                     Timestamp now);

}  // namespace hangar
