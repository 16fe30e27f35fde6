#include "base/flight_address.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

// The rest of `text` where it begins with `prefix`.
bool TakePrefix(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

arrow::Result<FlightAddress> ParseHost(std::string_view rest, bool is_tls, std::string_view whole) {
  auto where = ParseHostPort(rest);
  if (!where.ok()) {
    return Error(ErrorKind::kInvalidArgument, "{} is not the address of a server: {}",
                 Quoted(whole), where.status().message());
  }
  if (where->port == 0) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not the address of a server: port 0 is none that clients can connect to",
                 Quoted(whole));
  }
  std::ranges::transform(where->host, where->host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  });
  return FlightAddress{.where = *std::move(where), .is_tls = is_tls};
}

}  // namespace

std::string FlightAddress::ToUri() const {
  return (is_tls ? "grpc+tls://" : "grpc://") + where.ToString();
}

arrow::Result<FlightAddress> ParseFlightAddress(std::string_view uri) {
  std::string_view rest = uri;
  if (TakePrefix("grpc://", &rest) || TakePrefix("grpc+tcp://", &rest)) {
    return ParseHost(rest, /*is_tls=*/false, uri);
  }
  if (TakePrefix("grpc+tls://", &rest)) return ParseHost(rest, /*is_tls=*/true, uri);
  return Error(ErrorKind::kInvalidArgument,
               "{} is not the address of a server, such as grpc://data.example.org:8815 or "
               "grpc+tls://data.example.org:8815",
               Quoted(uri));
}

arrow::Result<PeerSetting> ParsePeerSetting(std::string_view text) {
  PeerSetting setting;
  std::string_view rest = text;
  if (TakePrefix("file:", &rest)) {
    if (rest.empty()) {
      return Error(ErrorKind::kInvalidArgument, "{} names no file", Quoted(text));
    }
    setting.kind = PeerSetting::Kind::kFile;
    setting.path = rest;
    return setting;
  }
  const bool is_tls = TakePrefix("dns+tls:", &rest);
  if (is_tls || TakePrefix("dns:", &rest)) {
    setting.kind = PeerSetting::Kind::kDns;
    ARROW_ASSIGN_OR_RAISE(setting.address, ParseHost(rest, is_tls, text));
    return setting;
  }
  ARROW_ASSIGN_OR_RAISE(setting.address, ParseFlightAddress(text));
  return setting;
}

}  // namespace hangar
