#pragma once

#include <atomic>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar {

/// The body that an https address answers with. The server's certificate is verified against the
/// system's authorities, or those of the file that the environment's SSL_CERT_FILE names;
/// redirections are not followed and proxies are those of the environment. UNAVAILABLE, saying why
/// without the body, when there is no answer of code 200 with at most 1 MiB within 10 s, or once
/// `is_stopping`.
arrow::Result<std::string> HttpsGet(const std::string& address,
                                    const std::atomic<bool>& is_stopping);

}  // namespace hangar
