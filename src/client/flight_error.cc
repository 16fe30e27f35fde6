#include "client/flight_error.h"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/flight/types.h>

#include "base/error.h"

namespace hangar::client {
namespace {

struct Wrapping {
  std::string_view prefix;
  // What the prefix tells of the kind, where it tells more than the status code does.
  std::optional<ErrorKind> kind;
};

// What Arrow Flight's transports put before a server's message when the server did not send its
// Arrow status along (arrow/flight/transport.cc, transport/grpc/util_internal.cc).
constexpr std::array kWrappings = {
    Wrapping{"Flight returned internal error, with message: ", ErrorKind::kInternal},
    Wrapping{"Flight returned invalid argument error, with message: ", ErrorKind::kInvalidArgument},
    Wrapping{"Flight returned timeout error, with message: ", ErrorKind::kUnavailable},
    Wrapping{"Flight returned not found error, with message: ", ErrorKind::kNotFound},
    Wrapping{"Flight returned already exists error, with message: ", ErrorKind::kAlreadyExists},
    Wrapping{"Flight returned unauthenticated error, with message: ", ErrorKind::kUnauthenticated},
    Wrapping{"Flight returned unauthorized error, with message: ", ErrorKind::kPermissionDenied},
    Wrapping{"Flight returned unimplemented error, with message: ", ErrorKind::kUnimplemented},
    Wrapping{"Flight returned unavailable error, with message: ", ErrorKind::kUnavailable},
    Wrapping{"Flight cancelled call, with message: ", ErrorKind::kCancelled},
    Wrapping{"Flight RPC failed with message: ", std::nullopt},
    Wrapping{"gRPC returned resource exhausted error, with message: ",
             ErrorKind::kResourceExhausted},
    Wrapping{"gRPC returned precondition failed error, with message: ",
             ErrorKind::kFailedPrecondition},
    Wrapping{"gRPC returned aborted error, with message: ", ErrorKind::kUnavailable},
    Wrapping{"gRPC returned out-of-range error, with message: ", ErrorKind::kInvalidArgument},
    Wrapping{"gRPC returned data loss error, with message: ", ErrorKind::kDataLoss},
};

// What the client side of Flight puts behind the message (grpc_client.cc, transport.cc).
constexpr std::array<std::string_view, 4> kAppendices = {
    ". gRPC client debug context: ",
    ". Client context: ",
    ". Additional context: ",
    ". Additionally, could not finish writing record batches before closing",
};

// What a server that is stopping adds to its UNAVAILABLE (docs/protocol.md).
constexpr std::string_view kNotBegun = "NOT_BEGUN";

constexpr std::array kAllKinds = {
    ErrorKind::kInvalidArgument,   ErrorKind::kNotFound,           ErrorKind::kAlreadyExists,
    ErrorKind::kUnauthenticated,   ErrorKind::kFailedPrecondition, ErrorKind::kPermissionDenied,
    ErrorKind::kResourceExhausted, ErrorKind::kUnavailable,        ErrorKind::kUnimplemented,
    ErrorKind::kCancelled,         ErrorKind::kDataLoss,           ErrorKind::kInternal,
};

std::optional<ErrorKind> KindNamed(std::string_view name) {
  for (const ErrorKind kind : kAllKinds) {
    if (ErrorKindName(kind) == name) return kind;
  }
  return std::nullopt;
}

std::optional<ErrorKind> KindOfFlightCode(arrow::flight::FlightStatusCode code) {
  switch (code) {
    case arrow::flight::FlightStatusCode::Internal:
    case arrow::flight::FlightStatusCode::Failed:
      return std::nullopt;  // Also what Arrow falls back to, so it says nothing.
    case arrow::flight::FlightStatusCode::TimedOut:
    case arrow::flight::FlightStatusCode::Unavailable:
      return ErrorKind::kUnavailable;
    case arrow::flight::FlightStatusCode::Cancelled:
      return ErrorKind::kCancelled;
    case arrow::flight::FlightStatusCode::Unauthenticated:
      return ErrorKind::kUnauthenticated;
    case arrow::flight::FlightStatusCode::Unauthorized:
      return ErrorKind::kPermissionDenied;
  }
  return std::nullopt;
}

ErrorKind KindOfArrowCode(arrow::StatusCode code) {
  switch (code) {
    case arrow::StatusCode::Invalid:
    case arrow::StatusCode::TypeError:
    case arrow::StatusCode::IndexError:
      return ErrorKind::kInvalidArgument;
    case arrow::StatusCode::KeyError:
      return ErrorKind::kNotFound;
    case arrow::StatusCode::AlreadyExists:
      return ErrorKind::kAlreadyExists;
    case arrow::StatusCode::NotImplemented:
      return ErrorKind::kUnimplemented;
    case arrow::StatusCode::Cancelled:
      return ErrorKind::kCancelled;
    case arrow::StatusCode::CapacityError:
    case arrow::StatusCode::OutOfMemory:
      return ErrorKind::kResourceExhausted;
    default:
      return ErrorKind::kInternal;
  }
}

struct Unwrapped {
  std::string_view sentence;
  std::optional<ErrorKind> kind_of_prefix;
  std::optional<ErrorKind> kind_of_detail;
};

Unwrapped Unwrap(std::string_view message) {
  Unwrapped out{message, std::nullopt, std::nullopt};
  for (const std::string_view appendix : kAppendices) {
    out.sentence = out.sentence.substr(0, out.sentence.find(appendix));
  }
  for (const Wrapping& wrapping : kWrappings) {
    if (!out.sentence.starts_with(wrapping.prefix)) continue;
    out.sentence.remove_prefix(wrapping.prefix.size());
    out.kind_of_prefix = wrapping.kind;
    break;
  }
  constexpr std::string_view kDetail = ". Detail: ";
  if (const size_t at = out.sentence.rfind(kDetail); at != std::string_view::npos) {
    out.kind_of_detail = KindNamed(out.sentence.substr(at + kDetail.size()));
    out.sentence = out.sentence.substr(0, at);
  }
  return out;
}

// True for gRPC's own words for "nobody answers there", as opposed to a server that says it is
// not available.
bool NobodyAnswers(std::string_view message) {
  constexpr std::array<std::string_view, 5> kPhrases = {
      "failed to connect to all addresses", "DNS resolution failed", "Failed to connect to remote",
      "connections to all backends failing", "empty address list"};
  return std::ranges::any_of(kPhrases, [&](std::string_view phrase) {
    return message.find(phrase) != std::string_view::npos;
  });
}

// True for gRPC's own words, which come with UNKNOWN or INTERNAL, for a connection that was lost
// below a call, by this end or by a proxy.
bool LostTheStream(const Unwrapped& unwrapped) {
  return !unwrapped.kind_of_detail &&
         ((!unwrapped.kind_of_prefix && unwrapped.sentence.starts_with("Stream removed")) ||
          (unwrapped.kind_of_prefix == ErrorKind::kInternal &&
           unwrapped.sentence.starts_with("Received RST_STREAM")));
}

// The innermost of gRPC's nested reasons, which is the operating system's own: "Connection
// refused".
std::string_view LastReason(std::string_view message) {
  const size_t at = message.rfind(": ");
  return at == std::string_view::npos ? message : message.substr(at + 2);
}

// Why no connection came to be, from what gRPC 1.51 says of each way in which that happens.
std::string ConnectFailure(std::string_view message, const std::string& uri) {
  const bool encrypted = uri.starts_with("grpc+tls:");
  if (message.contains("certificate verify failed")) {
    return std::format(
        "the certificate of {} is not trusted: it has expired, or nobody trusted has signed it; "
        "give the certificate of who did",
        uri);
  }
  if (message.contains("is not in peer certificate")) {
    return std::format("the certificate of {} is for other names than this one", uri);
  }
  if (message.contains("wrong version number")) {
    return std::format("{} speaks no TLS: grpc:// is its address, without encryption", uri);
  }
  if (encrypted && message.contains("empty address list")) {
    return std::format("cannot speak TLS to {}: a certificate or key that was given is no PEM",
                       uri);
  }
  if (message.contains("Socket closed")) {
    return encrypted
               ? std::format("{} ended the connection at once: it wants a client certificate", uri)
               : std::format("{} ended the connection at once: it may speak TLS, as grpc+tls://",
                             uri);
  }
  return std::format("cannot reach {} ({}): is \"hangar serve\" running there?", uri,
                     LastReason(message));
}

}  // namespace

arrow::Status FromFlight(const arrow::Status& status, const std::string& uri) {
  if (status.ok() || HasErrorKind(status)) return status;
  const Unwrapped unwrapped = Unwrap(status.message());
  const auto flight_detail = arrow::flight::FlightStatusDetail::UnwrapStatus(status);
  // Only gRPC itself fails a call without the server's Arrow status, hence with a prefix.
  if (unwrapped.kind_of_prefix == ErrorKind::kUnavailable) {
    if (NobodyAnswers(unwrapped.sentence)) {
      return MakeError(ErrorKind::kUnavailable, ConnectFailure(unwrapped.sentence, uri));
    }
    return Error(ErrorKind::kUnavailable, "the connection to {} failed: {}", uri,
                 unwrapped.sentence);
  }
  if (LostTheStream(unwrapped)) {
    return Error(ErrorKind::kUnavailable, "the connection to {} failed: {}", uri,
                 unwrapped.sentence);
  }
  std::optional<ErrorKind> kind;
  if (flight_detail != nullptr) kind = KindNamed(flight_detail->extra_info());
  if (!kind) kind = unwrapped.kind_of_detail;
  if (!kind) kind = unwrapped.kind_of_prefix;
  if (!kind && flight_detail != nullptr) kind = KindOfFlightCode(flight_detail->code());
  if (!kind) kind = KindOfArrowCode(status.code());
  std::string sentence(unwrapped.sentence);
  if (sentence.empty()) sentence = "the server failed without saying why";
  return MakeError(*kind, std::move(sentence));
}

bool FailedToConnect(const arrow::Status& status) {
  if (status.ok() || HasErrorKind(status)) return false;
  const Unwrapped unwrapped = Unwrap(status.message());
  return unwrapped.kind_of_prefix == ErrorKind::kUnavailable && NobodyAnswers(unwrapped.sentence);
}

bool WasNotBegun(const arrow::Status& status) {
  if (FailedToConnect(status)) return true;
  const auto flight_detail = arrow::flight::FlightStatusDetail::UnwrapStatus(status);
  return flight_detail != nullptr && flight_detail->extra_info() == kNotBegun;
}

bool FailedToConnectByChance(const arrow::Status& status) {
  if (!FailedToConnect(status)) return false;
  const Unwrapped unwrapped = Unwrap(status.message());
  const std::string_view reason = LastReason(unwrapped.sentence);
  // What other calls leave in errno. No file is looked for but where a Unix socket is.
  return reason.starts_with("Invalid argument") ||
         (reason.starts_with("No such file or directory") && !unwrapped.sentence.contains("unix:"));
}

}  // namespace hangar::client
