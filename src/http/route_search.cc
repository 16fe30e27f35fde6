#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "http/routes.h"
#include "http/target.h"

namespace hangar {
namespace {

constexpr std::string_view kName = "{name}";

struct Match {
  const HttpRoute* route;
  std::string_view name;    // As it was sent.
  std::string_view suffix;  // What stands behind it.
};

std::optional<Match> MatchRoute(const HttpRoute& route, std::string_view path) {
  const size_t begin = route.path.find(kName);
  if (begin == std::string_view::npos) {
    if (path != route.path) return std::nullopt;
    return Match{&route, "", ""};
  }
  const std::string_view prefix = route.path.substr(0, begin);
  const std::string_view suffix = route.path.substr(begin + kName.size());
  if (path.size() <= prefix.size() + suffix.size()) return std::nullopt;
  if (!path.starts_with(prefix) || !path.ends_with(suffix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  path.remove_suffix(suffix.size());
  return Match{&route, path, suffix};
}

bool Answers(const HttpRoute& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET");
}

// A part of a dataset, such as its schema, hides the dataset of that name for all methods: PUT
// to what GET gives another thing for would be a trap.
void KeepParts(std::vector<Match>* matches) {
  const auto is_part = [](const Match& match) { return match.suffix.starts_with('/'); };
  if (std::ranges::any_of(*matches, is_part)) {
    std::erase_if(*matches, [&](const Match& match) { return !is_part(match); });
  }
}

}  // namespace

arrow::Result<FoundRoute> FindRoute(std::span<const HttpRoute> routes, std::string_view method,
                                    std::string_view path) {
  std::vector<Match> matches;
  for (const HttpRoute& route : routes) {
    if (const auto match = MatchRoute(route, path)) matches.push_back(*match);
  }
  KeepParts(&matches);
  FoundRoute found;
  const Match* best = nullptr;
  for (const Match& match : matches) {
    found.methods.push_back(match.route->method);
    if (match.route->method == "GET") found.methods.push_back("HEAD");
    if (!Answers(*match.route, method)) continue;
    if (best == nullptr || match.suffix.size() > best->suffix.size()) best = &match;
  }
  if (!matches.empty()) found.methods.push_back("OPTIONS");
  if (best == nullptr) return found;
  auto name = PercentDecode(best->name);
  if (!name) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not a percent-encoded name: '%' is followed by two hexadecimal digits",
                 Quoted(best->name));
  }
  found.name = *std::move(name);
  found.route = best->route;
  return found;
}

arrow::Status CheckQuery(const HttpRoute& route, const HttpRequest& request) {
  for (size_t i = 0; i < request.query.size(); ++i) {
    const std::string& key = request.query[i].first;
    const auto known = std::ranges::find(route.query, key, &HttpParameter::name);
    if (known == route.query.end()) {
      std::string names;
      for (const HttpParameter& parameter : route.query) {
        names += (names.empty() ? "" : ", ") + std::string(parameter.name);
      }
      return Error(ErrorKind::kInvalidArgument, "the query has {}, which is not known here; {}",
                   Quoted(key), names.empty() ? "it has to be empty" : "known are " + names);
    }
    const auto earlier = std::span(request.query).first(i);
    if (!known->repeats &&
        std::ranges::contains(earlier, key, &std::pair<std::string, std::string>::first)) {
      return Error(ErrorKind::kInvalidArgument, "the query has '{}' twice", key);
    }
  }
  return arrow::Status::OK();
}

}  // namespace hangar
