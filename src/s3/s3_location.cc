#include "s3/s3_location.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "base/error.h"
#include "base/text.h"
#include "s3/environment.h"
#include "s3/profile_file.h"
#include "s3/uri_encoding.h"

namespace hangar {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::array<std::string_view, 6> kOptions = {"endpoint", "region",  "addressing",
                                                      "ca",       "profile", "timeout"};
constexpr std::chrono::seconds kTimeoutMax{3600};
constexpr size_t kBucketBytesMin = 3;
constexpr size_t kBucketBytesMax = 63;

template <typename... Args>
arrow::Status Wrong(std::format_string<Args...> format, Args&&... args) {
  return MakeError(ErrorKind::kInvalidArgument,
                   "the S3 location: " + std::format(format, std::forward<Args>(args)...));
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// AWS has a stricter rule for new buckets; its old ones and other stores have more names.
bool IsBucketName(std::string_view name) {
  return name.size() >= kBucketBytesMin && name.size() <= kBucketBytesMax &&
         IsLetterOrDigit(name.front()) && IsLetterOrDigit(name.back()) &&
         std::ranges::all_of(
             name, [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_'; });
}

bool IsRegionName(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return IsLetterOrDigit(c) || c == '-'; });
}

// Levenshtein's distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

arrow::Status UnknownOption(const std::string& name) {
  for (const std::string_view secret : {"key", "secret", "token", "password", "credential"}) {
    if (name.contains(secret)) {
      return Wrong(
          "credentials do not stand in it; give them as AWS_ACCESS_KEY_ID and "
          "AWS_SECRET_ACCESS_KEY or in the shared credentials file");
    }
  }
  const auto nearest = std::ranges::min_element(
      kOptions, {}, [&](std::string_view option) { return Distance(name, option); });
  if (Distance(name, *nearest) <= 2) {
    return Wrong("there is no option {}; did you mean '{}'?", Quoted(name), *nearest);
  }
  return Wrong(
      "there is no option {}; there are endpoint, region, addressing, ca, profile and timeout",
      Quoted(name));
}

arrow::Result<std::map<std::string, std::string>> ParseOptions(std::string_view query) {
  std::map<std::string, std::string> options;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view option = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (option.empty()) continue;
    const size_t equals = std::min(option.find('='), option.size());
    const auto name = PercentDecoded(option.substr(0, equals), PlusSign::kIsPlus);
    const auto value =
        PercentDecoded(option.substr(std::min(equals + 1, option.size())), PlusSign::kIsPlus);
    if (!name || !value) return Wrong("a '%' in its options has no two hexadecimal digits");
    if (std::ranges::find(kOptions, *name) == kOptions.end()) return UnknownOption(*name);
    if (value->empty()) return Wrong("the option '{}' has no value", *name);
    if (!options.emplace(*name, *value).second) {
      return Wrong("the option '{}' stands there twice", *name);
    }
  }
  return options;
}

struct Endpoint {
  std::string text;
  std::string host;
};

struct UrlCleanup {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

// Errors do not repeat the text, in which a password could stand.
arrow::Result<Endpoint> ParseEndpoint(std::string text) {
  const std::unique_ptr<CURLU, UrlCleanup> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return Wrong("the endpoint is no address such as https://host:9000");
  }
  const std::string scheme = UrlPart(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return Wrong("the endpoint begins with http:// or https://");
  }
  if (!UrlPart(url.get(), CURLUPART_USER).empty() ||
      !UrlPart(url.get(), CURLUPART_PASSWORD).empty()) {
    return Wrong("credentials do not stand in the endpoint");
  }
  if (UrlPart(url.get(), CURLUPART_PATH) != "/" || text.contains('?') || text.contains('#')) {
    return Wrong("the endpoint has a host and a port, and no path");
  }
  if (text.ends_with('/')) text.pop_back();
  return Endpoint{.text = std::move(text), .host = UrlPart(url.get(), CURLUPART_HOST)};
}

bool IsIpAddress(std::string_view host) {
  return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool IsAwsHost(std::string_view host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
}

std::string AwsEndpoint(const std::string& region) {
  return std::format("https://s3.{}.amazonaws.com{}", region,
                     region.starts_with("cn-") ? ".cn" : "");
}

std::string FirstSet(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) return value;
  }
  return "";
}

// A bucket with dots is no host that a wildcard certificate covers.
arrow::Result<bool> IsPathStyle(const std::string& addressing, const Endpoint& endpoint,
                                const S3Location& location) {
  const bool is_dotted = location.bucket.contains('.') && location.endpoint.starts_with("https:");
  if (addressing.empty()) return !IsAwsHost(endpoint.host) || is_dotted;
  if (addressing == "path") return true;
  if (addressing != "virtual") return Wrong("addressing is 'path' or 'virtual'");
  if (IsIpAddress(endpoint.host)) {
    return Wrong("addressing 'virtual' wants an endpoint with a name, not with an IP address");
  }
  return false;
}

arrow::Result<std::chrono::seconds> ParseTimeout(const std::string& text) {
  std::chrono::seconds::rep seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 1 ||
      seconds > kTimeoutMax.count()) {
    return Wrong("timeout is a number of seconds, 1 to {}", kTimeoutMax.count());
  }
  return std::chrono::seconds(seconds);
}

arrow::Status ParseBucketAndPrefix(std::string_view text, S3Location* location) {
  const size_t slash = std::min(text.find('/'), text.size());
  location->bucket = text.substr(0, slash);
  if (location->bucket.contains('@')) {
    return Wrong("credentials do not stand in it; a bucket stands behind 's3://'");
  }
  if (!IsBucketName(location->bucket)) {
    return Wrong("{} is no name of a bucket (3 to 63 letters, digits, '-', '.' and '_')",
                 Quoted(location->bucket));
  }
  const auto prefix =
      PercentDecoded(text.substr(std::min(slash + 1, text.size())), PlusSign::kIsPlus);
  if (!prefix) return Wrong("a '%' in its prefix has no two hexadecimal digits (%25 is '%')");
  if (!IsValidUtf8(*prefix)) return Wrong("its prefix is not UTF-8");
  location->prefix = *prefix;
  if (!location->prefix.empty() && !location->prefix.ends_with('/')) location->prefix += '/';
  return arrow::Status::OK();
}

}  // namespace

std::string S3Location::ToString() const { return std::string(kScheme) + bucket + "/" + prefix; }

bool IsS3Uri(std::string_view text) { return text.starts_with(kScheme); }

arrow::Result<S3Location> ParseS3Location(std::string_view uri, const Environment& environment) {
  if (!IsS3Uri(uri)) return Wrong("it begins with 's3://'");
  if (uri.contains('#')) return Wrong("a '#' in it is written %23");
  const size_t question = std::min(uri.find('?'), uri.size());
  S3Location location;
  ARROW_RETURN_NOT_OK(
      ParseBucketAndPrefix(uri.substr(kScheme.size(), question - kScheme.size()), &location));
  ARROW_ASSIGN_OR_RAISE(auto options, ParseOptions(uri.substr(std::min(question + 1, uri.size()))));
  location.profile = options["profile"];
  ARROW_ASSIGN_OR_RAISE(Profile profile, LoadProfile(location.profile, environment));
  location.region = FirstSet({options["region"], environment("AWS_REGION"),
                              environment("AWS_DEFAULT_REGION"), profile["region"], "us-east-1"});
  if (!IsRegionName(location.region)) {
    return Wrong("{} is no name of a region", Quoted(location.region));
  }
  ARROW_ASSIGN_OR_RAISE(
      const Endpoint endpoint,
      ParseEndpoint(FirstSet({options["endpoint"], environment("AWS_ENDPOINT_URL_S3"),
                              environment("AWS_ENDPOINT_URL"), AwsEndpoint(location.region)})));
  location.endpoint = endpoint.text;
  ARROW_ASSIGN_OR_RAISE(location.path_style,
                        IsPathStyle(options["addressing"], endpoint, location));
  if (options.contains("timeout")) {
    ARROW_ASSIGN_OR_RAISE(location.timeout, ParseTimeout(options["timeout"]));
  }
  location.ca_file = FirstSet({options["ca"], environment("AWS_CA_BUNDLE")});
  return location;
}

}  // namespace hangar
