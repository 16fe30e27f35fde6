#include "client/addresses.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <arrow/flight/types.h>
#include <arrow/util/uri.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar::client {
namespace {

constexpr size_t kAddressesMax = 64;
constexpr std::array<std::string_view, 4> kSchemes = {"grpc", "grpc+tcp", "grpc+tls", "grpc+unix"};

std::string_view WithoutSpaces(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

bool BeginsWithScheme(std::string_view text) {
  return std::ranges::any_of(kSchemes, [&](std::string_view scheme) {
    return text.starts_with(scheme) && text.substr(scheme.size()).starts_with("://");
  });
}

}  // namespace

arrow::Result<std::vector<std::string>> ParseAddresses(const std::string& uri) {
  std::vector<std::string> addresses;
  for (size_t begin = 0; begin <= uri.size();) {
    size_t end = uri.find(',', begin);
    while (end != std::string::npos &&
           !BeginsWithScheme(WithoutSpaces(std::string_view(uri).substr(end + 1)))) {
      end = uri.find(',', end + 1);
    }
    end = std::min(end, uri.size());
    addresses.emplace_back(WithoutSpaces(std::string_view(uri).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (addresses.size() > kAddressesMax) {
    return Error(ErrorKind::kInvalidArgument, "{} servers are named, but no more than {} can be",
                 addresses.size(), kAddressesMax);
  }
  for (auto address = addresses.begin(); address != addresses.end(); ++address) {
    if (!IsAddress(*address)) return NotAnAddress(*address);
    if (std::find(addresses.begin(), address, *address) != address) {
      return Error(ErrorKind::kInvalidArgument, "the server {} is named twice", *address);
    }
  }
  return addresses;
}

bool IsAddress(const std::string& uri) {
  arrow::util::Uri parsed;
  if (!BeginsWithScheme(uri) || !arrow::flight::Location::Parse(uri).ok()) return false;
  if (!parsed.Parse(uri).ok()) return false;
  return parsed.scheme() == "grpc+unix" ? !parsed.path().empty()
                                        : !parsed.host().empty() && parsed.port() > 0;
}

arrow::Status NotAnAddress(const std::string& uri) {
  return Error(ErrorKind::kInvalidArgument,
               "{} is not the address of a server: grpc://HOST:PORT, grpc+tls://HOST:PORT or "
               "grpc+unix:///PATH is one",
               Quoted(uri));
}

bool IsConfidential(const std::string& uri) {
  arrow::util::Uri parsed;
  if (!parsed.Parse(uri).ok()) return false;
  const std::string scheme = parsed.scheme();
  if (scheme == "grpc+tls" || scheme == "grpc+unix") return true;
  const std::string host = parsed.host();
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace hangar::client
