#pragma once

#include <memory>

namespace grpc::experimental {
class ServerInterceptorFactoryInterface;
}

namespace hangar {

/// Puts the verified certificate of a call's connection into the call's headers, as
/// kCertificateHeader: Flight shows its handlers and middleware the headers, but not the
/// connection. Whatever a client sent under that name is removed first, on every connection.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCertificateInterceptor();

}  // namespace hangar
