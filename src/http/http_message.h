#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "service/caller.h"
#include "service/stored_file.h"

namespace hangar {

/// Names and values of headers in their order; names differ in more than case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// One request, as far as its headers go.
struct HttpRequest {
  std::string method;
  std::string path;  ///< As HttpTarget has it.
  std::vector<std::pair<std::string, std::string>> query;
  HttpHeaders headers;
  bool is_http_1_0 = false;
  bool is_encrypted = false;
  std::string address = {};  ///< Of the client, without its port.
  std::string name = {};     ///< What stands for "{name}" in the route's path, decoded.
  std::string body = {};     ///< Of a route that takes a short one.
  Caller caller;

  bool is_head() const { return method == "HEAD"; }
  /// All values of a header, joined with ", "; nullopt when there is none.
  std::optional<std::string> Header(std::string_view header_name) const;
  /// The first value of a parameter of the query.
  std::optional<std::string> Query(std::string_view parameter) const;
  /// As Query, of a whole number. INVALID_ARGUMENT for anything else, and a negative one.
  arrow::Result<std::optional<int64_t>> QueryCount(std::string_view parameter) const;
};

/// A body that is made as it is sent. One thread at a time.
class HttpBodySource {
 public:
  virtual ~HttpBodySource() = default;
  /// How many bytes will come; nullopt: that is not known before they came.
  virtual std::optional<int64_t> size_bytes() const = 0;
  /// Gives up to `length` bytes; 0 at the end. After an error the connection is broken off, so that
  /// nobody takes what was sent for all of it.
  virtual arrow::Result<int64_t> Read(int64_t length, char* out) = 0;
};

/// A run of a stored file's bytes as a body.
struct HttpFileBody {
  std::shared_ptr<StoredFileReader> file;
  int64_t offset = 0;
  int64_t length = 0;
};

/// An answer. Its body is `file`, else `source`, else `text`.
struct HttpResponse {
  int status = 200;
  HttpHeaders headers = {};
  std::string text = {};
  std::optional<HttpFileBody> file = {};
  std::unique_ptr<HttpBodySource> source = nullptr;
  std::shared_ptr<void> held = nullptr;  ///< What goes when the body was sent.
  arrow::Status error = {};              ///< What went wrong, where something did: for the log.

  HttpResponse& Add(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

/// What takes a request's body as it comes in. One thread at a time. Destroyed without a successful
/// Finish, nothing of it stays.
class HttpBodyReceiver {
 public:
  virtual ~HttpBodyReceiver() = default;
  /// Takes some bytes; waits when they come faster than they can be stored.
  virtual arrow::Status Receive(std::string_view bytes) = 0;
  /// The body is whole: stores it and makes the answer.
  virtual arrow::Result<HttpResponse> Finish() = 0;
};

/// How a request with a long body begins: either it is wanted, or there is an answer already.
struct HttpBegunBody {
  std::unique_ptr<HttpBodyReceiver> receiver = nullptr;
  std::optional<HttpResponse> answer = {};
};

}  // namespace hangar
