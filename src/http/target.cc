#include "http/target.h"

#include <algorithm>
#include <cctype>
#include <format>
#include <iterator>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").contains(c);
}

// What follows the authority of an absolute form: "/" where nothing does.
std::optional<std::string_view> PathOfAbsoluteForm(std::string_view target) {
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  std::string name(target.substr(0, scheme));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name != "http" && name != "https") return std::nullopt;
  const size_t path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

// One side of a "name=value". Forms and browsers write a space as '+'.
arrow::Result<std::string> DecodeQueryText(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  auto decoded = PercentDecode(spaced);
  if (!decoded || !IsValidUtf8(*decoded)) {
    return Error(ErrorKind::kInvalidArgument,
                 "the query has {}, which is not percent-encoded UTF-8", Quoted(text));
  }
  return *std::move(decoded);
}

arrow::Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (item.empty()) continue;
    const size_t equals = std::min(item.find('='), item.size());
    ARROW_ASSIGN_OR_RAISE(auto name, DecodeQueryText(item.substr(0, equals)));
    ARROW_ASSIGN_OR_RAISE(auto value,
                          DecodeQueryText(item.substr(std::min(equals + 1, item.size()))));
    query.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

}  // namespace

arrow::Result<HttpTarget> ParseHttpTarget(std::string_view target) {
  std::string_view rest = target;
  if (!rest.starts_with('/') && rest != "*") {
    const auto path = PathOfAbsoluteForm(rest);
    if (!path) {
      return Error(ErrorKind::kInvalidArgument,
                   "{} is not a target that this server has: it begins with '/'", Quoted(target));
    }
    rest = *path;
  }
  const size_t question = std::min(rest.find('?'), rest.size());
  HttpTarget parsed;
  parsed.path = rest.substr(0, question);
  if (parsed.path.empty()) parsed.path = "/";
  ARROW_ASSIGN_OR_RAISE(parsed.query, ParseQuery(rest.substr(std::min(question + 1, rest.size()))));
  return parsed;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = HexDigit(text[i + 1]);
    const auto low = HexDigit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    decoded += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return decoded;
}

std::string PercentEncode(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c) || (keep_slashes && c == '/')) {
      encoded += c;
    } else {
      std::format_to(std::back_inserter(encoded), "%{:02X}",
                     static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return encoded;
}

std::string DatasetPath(std::string_view name) {
  std::string path = "/v1/datasets/" + PercentEncode(name, /*keep_slashes=*/true);
  for (const std::string_view part : {"/schema", "/versions"}) {
    if (name.ends_with(part)) path.replace(path.size() - part.size(), 1, "%2F");
  }
  return path;
}

}  // namespace hangar
