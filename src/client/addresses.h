#pragma once

#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar::client {

/// The addresses that ClientOptions::uri names, in its order. A comma separates two where the next
/// one begins with a scheme, so that a socket's path may hold commas. INVALID_ARGUMENT for what is
/// no address, for one that is there twice, and for more than 64.
arrow::Result<std::vector<std::string>> ParseAddresses(const std::string& uri);

/// True for grpc://HOST:PORT, the same with grpc+tcp or grpc+tls, and grpc+unix:///PATH.
bool IsAddress(const std::string& uri);

/// What to say of `uri`, which is no address: INVALID_ARGUMENT.
arrow::Status NotAnAddress(const std::string& uri);

/// True when what is sent to `uri` can be read by nobody but the server and this machine: TLS, a
/// Unix socket, or a loopback address.
bool IsConfidential(const std::string& uri);

}  // namespace hangar::client
