#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "http/http_context.h"
#include "http/http_message.h"

namespace hangar {

/// A parameter of a route's query.
struct HttpParameter {
  std::string_view name;
  std::string_view type;  ///< As JSON schema has it: "string", "integer", "boolean".
  std::string_view description;
  bool repeats = false;
};

/// A media type that a route takes or gives.
struct HttpContent {
  std::string_view media_type;
  std::string_view schema = "";  ///< The name of a schema in openapi.cc; empty: bytes.
};

/// What a route does. It is what requests are dispatched by, and what is told of the interface: a
/// parameter that does not stand here is refused.
struct HttpRoute {
  using Answer = arrow::Result<HttpResponse> (*)(const HttpContext&, const HttpRequest&);
  using Begin = arrow::Result<HttpBegunBody> (*)(const HttpContext&, const HttpRequest&);

  std::string_view method;  ///< A route of GET answers HEAD as well.
  /// Literal, or with "{name}", which stands for a dataset's name, slashes and all.
  std::string_view path;
  std::string_view operation;  ///< Its name, in metrics and the description.
  std::string_view summary;
  std::string_view description = "";
  std::span<const HttpParameter> query = {};
  std::span<const HttpContent> takes = {};
  int success = 200;
  std::span<const HttpContent> gives = {};
  std::span<const int> also = {};  ///< Other statuses that say no error, such as 206.
  std::span<const int> errors = {};

  Answer answer = nullptr;     ///< Either this, once the body, a short one, is there ...
  Begin begin = nullptr;       ///< ... or this, before a body of any length.
  bool is_operations = false;  ///< For those who run the server: answered while it stops, too.
  bool is_public = false;      ///< Nobody is asked who they are.
};

/// All of the door's.
std::span<const HttpRoute> HttpRoutes();
/// Those of a door for operations only.
std::span<const HttpRoute> OperationsRoutes();

/// Which route is meant by a method and a path as HttpTarget has it.
struct FoundRoute {
  const HttpRoute* route = nullptr;  ///< nullptr: there is none for this method.
  std::string name;                  ///< What "{name}" stands for, decoded.
  std::vector<std::string_view>
      methods;  ///< Of the path, "HEAD" and "OPTIONS" too; empty: no such path.
};

/// A path's literal end decides: `a/schema` is the schema of `a`, and the dataset `a/schema` is
/// written `a%2Fschema`. INVALID_ARGUMENT for a name that cannot be decoded.
arrow::Result<FoundRoute> FindRoute(std::span<const HttpRoute> routes, std::string_view method,
                                    std::string_view path);

/// INVALID_ARGUMENT, naming those there are, for a parameter that the route has not, or twice.
arrow::Status CheckQuery(const HttpRoute& route, const HttpRequest& request);

}  // namespace hangar
