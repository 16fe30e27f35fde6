#pragma once

#include <memory>

#include "access/tls_files.h"

namespace grpc {
class ServerCredentials;
}

namespace hangar {

/// Encrypts a gRPC port, TLS 1.2 or newer, with what `files` hold at each handshake: connections
/// that stand go on with the certificate that they began with. The answer keeps `files` alive and
/// has to live as long as the server, which asks it at each handshake.
/// Without a client CA the mode has to be kOff.
std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(std::shared_ptr<TlsFiles> files,
                                                            ClientCertificateMode mode);

}  // namespace hangar
