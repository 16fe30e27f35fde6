#include "http/http_message.h"

#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "http/header_text.h"

namespace hangar {

std::optional<std::string> HttpRequest::Header(std::string_view header_name) const {
  std::optional<std::string> joined;
  for (const auto& [name_of_header, value] : headers) {
    if (!EqualsIgnoringCase(name_of_header, header_name)) continue;
    if (joined) {
      *joined += ", " + value;
    } else {
      joined = value;
    }
  }
  return joined;
}

std::optional<std::string> HttpRequest::Query(std::string_view parameter) const {
  for (const auto& [key, value] : query) {
    if (key == parameter) return value;
  }
  return std::nullopt;
}

arrow::Result<std::optional<int64_t>> HttpRequest::QueryCount(std::string_view parameter) const {
  const auto text = Query(parameter);
  if (!text) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0) {
    return Error(ErrorKind::kInvalidArgument,
                 "the query's '{}' is {}; it has to be a whole number, 0 or more", parameter,
                 Quoted(*text));
  }
  return value;
}

}  // namespace hangar
