#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "s3/credentials.h"

namespace hangar {

/// Signs a request by AWS' Signature Version 4.
struct HttpSignature {
  S3Credentials credentials;
  std::string region;
  std::string service;
};

struct S3HttpRequest {
  std::string method;                        ///< "GET", "HEAD", "PUT", "POST", "DELETE".
  std::string url;                           ///< Encoded already.
  std::vector<std::string> headers;          ///< "Name: value", or "Name;" for one without a value.
  std::string_view body;                     ///< Has to live until the answer is there.
  const HttpSignature* signature = nullptr;  ///< None: not signed.

  /// Where the body of an answer of 2xx goes, at most `sink_bytes`; without it, and with any other
  /// status, it becomes the answer's `body`.
  char* sink = nullptr;
  size_t sink_bytes = 0;
  /// A longer body of an answer is a fault. One of an error is cut there.
  size_t body_bytes_max = 1 << 20;
  std::chrono::seconds stall_timeout{0};  ///< 0: as the settings say.
};

struct S3HttpResponse {
  enum class Fault {
    kNone,     ///< An answer came.
    kNotSent,  ///< Nothing has left here.
    kLost,     ///< The request may have been carried out; no whole answer came.
    kRefused,  ///< Nothing that sending again would change: a wrong certificate, a body too long.
  };
  Fault fault = Fault::kNone;
  std::string fault_text;                      ///< What libcurl says of it, for the log.
  int status = 0;                              ///< May be set with kLost as well.
  std::map<std::string, std::string> headers;  ///< By their names in small letters.
  std::string body;
  size_t sink_bytes = 0;  ///< How many of them came.

  /// A header's value, "" where there is none.
  std::string Header(const std::string& name) const;
};

struct HttpSettings {
  std::string ca_file;    ///< Empty: the system's authorities.
  bool use_proxy = true;  ///< As the environment says (https_proxy, no_proxy and so on).
  std::chrono::milliseconds connect_timeout{5000};
  /// A request on which nothing moves for so long has failed.
  std::chrono::seconds stall_timeout{30};
};

/// Sends HTTP requests over connections that are kept. Follows no redirects, and sends a request
/// once only: libcurl by itself repeats one on a kept connection that turns out to be closed, which
/// would hide that a write may have been carried out. Thread-safe; each request in flight has a
/// connection of its own.
class HttpConnections {
 public:
  explicit HttpConnections(HttpSettings settings);
  ~HttpConnections();
  HttpConnections(const HttpConnections&) = delete;
  HttpConnections& operator=(const HttpConnections&) = delete;

  /// Blocks until the answer is there.
  S3HttpResponse Exchange(const S3HttpRequest& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> Take();
  void GiveBack(std::unique_ptr<Handle> handle);

  const HttpSettings settings_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_ HANGAR_GUARDED_BY(mutex_);
};

/// An HTTP date, for example "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<Timestamp> ParseHttpDate(const std::string& text);

/// True for a URL of this machine, which is never behind a proxy.
bool IsLoopbackUrl(const std::string& url);

}  // namespace hangar
