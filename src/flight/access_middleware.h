#pragma once

#include <memory>
#include <string_view>

#include "access/authenticator.h"
#include "base/log.h"

namespace arrow::flight {
class ServerAuthHandler;
class ServerCallContext;
class ServerMiddlewareFactory;
}  // namespace arrow::flight

namespace hangar {

/// The name that the access middleware is registered by, which IdentityOf looks for.
inline constexpr char kAccessMiddleware[] = "access";

/// A header of a call that no client can send: the verified certificate of its connection, PEM. See
/// MakeCertificateInterceptor.
inline constexpr std::string_view kCertificateHeader = "x-hangar-verified-certificate";

/// Finds out who makes each Flight call, by its header "authorization" and its connection's
/// certificate, and refuses calls that show somebody whom nobody knows. A call that shows nothing
/// goes on without an identity: the service decides what everybody may do. Handshake is a login:
/// with "authorization: Basic ..." it answers with a header "authorization: Bearer ..." for what
/// follows, which is what AuthenticateBasicToken of Arrow's clients does.
std::shared_ptr<arrow::flight::ServerMiddlewareFactory> MakeAccessMiddleware(
    std::shared_ptr<Authenticator> authenticator, std::shared_ptr<Logger> logger);

/// What answers Handshake once the middleware let it through. It checks nothing: Flight asks it at
/// each call for the header "auth-token-bin" of its older convention, which shows nobody here.
std::shared_ptr<arrow::flight::ServerAuthHandler> MakeHandshakeHandler();

/// Who makes the call; nullptr where nobody showed who they are.
std::shared_ptr<const Identity> IdentityOf(const arrow::flight::ServerCallContext& context);

}  // namespace hangar
