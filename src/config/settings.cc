#include "config/settings.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "config/value_parsers.h"

namespace hangar {
namespace {

using Values = std::vector<std::string>;

// Below, `path` leads from the options to the field that a setting sets: &ServeOptions::limits,
// &Limits::streams.

template <auto... path>
auto& FieldOf(ServeOptions& options) {
  return (options.*....*path);
}

// A text as it stands: a file, an address, a name.
template <auto... path>
arrow::Status SetText(ServeOptions& options, const Values& values) {
  FieldOf<path...>(options) = values.back();
  return arrow::Status::OK();
}

template <auto... path>
arrow::Status SetTextThatIsNeeded(ServeOptions& options, const Values& values) {
  if (values.back().empty()) return MakeError(ErrorKind::kInvalidArgument, "it is empty");
  return SetText<path...>(options, values);
}

template <int64_t least, auto... path>
arrow::Status SetCount(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(FieldOf<path...>(options), ParseCount(values.back(), least));
  return arrow::Status::OK();
}

template <auto... path>
arrow::Status SetMemory(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(FieldOf<path...>(options), ParseMemoryAmount(values.back()));
  return arrow::Status::OK();
}

template <int64_t least_ms, auto... path>
arrow::Status SetDuration(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(const auto duration, ParseDuration(values.back()));
  if (duration.count() < least_ms) {
    return Error(ErrorKind::kInvalidArgument, "it cannot be less than {}ms", least_ms);
  }
  FieldOf<path...>(options) = duration;
  return arrow::Status::OK();
}

// A number of bytes that is not 0.
template <auto... path>
arrow::Status SetBytes(ServeOptions& options, const Values& values) {
  const auto amount = ParseMemoryAmount(values.back());
  if (!amount.ok() || amount->bytes == 0) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not a number of bytes; they are written as 64KiB, 512MiB or 4GiB",
                 Quoted(values.back()));
  }
  FieldOf<path...>(options) = amount->bytes;
  return arrow::Status::OK();
}

// Bytes a second, or 0 for no limit.
arrow::Status SetCallerBytes(ServeOptions& options, const Values& values) {
  const auto amount = ParseMemoryAmount(values.back());
  if (!amount.ok() || amount->percent != 0) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not a number of bytes; they are written as 64KiB, 512MiB, 4GiB or 0",
                 Quoted(values.back()));
  }
  options.limits.caller_bytes_per_second = amount->bytes;
  return arrow::Status::OK();
}

arrow::Status SetMemoryLimit(ServeOptions& options, const Values& values) {
  ARROW_ASSIGN_OR_RAISE(const MemoryAmount amount, ParseMemoryAmount(values.back()));
  if (amount.percent == 0 && amount.bytes < kMemoryLimitBytesMin) {
    return Error(ErrorKind::kInvalidArgument, "{} is too little; it must be {}MiB at least",
                 Quoted(values.back()), kMemoryLimitBytesMin >> 20);
  }
  options.memory_limit = amount;
  return arrow::Status::OK();
}

arrow::Status SetHistoryBytes(ServeOptions& options, const Values& values) {
  const auto amount = ParseMemoryAmount(values.back());
  if (!amount.ok()) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not an amount of disk space; amounts are written as 10%, 512MiB, 4GiB or 0",
                 Quoted(values.back()));
  }
  options.history.bytes = *amount;
  return arrow::Status::OK();
}

arrow::Status SetAdvertise(ServeOptions& options, const Values& values) {
  for (const std::string& uri : values) {
    if (!uri.contains("://")) {
      return Error(ErrorKind::kInvalidArgument,
                   "{} is not a URI such as grpc://data.example.org:8815", Quoted(uri));
    }
  }
  options.advertise = values;
  return arrow::Status::OK();
}

arrow::Status SetCorsOrigins(ServeOptions& options, const Values& values) {
  for (const std::string& origin : values) {
    // As browsers send it: https://app.example.org, with a port where it is not the usual one.
    const size_t scheme = origin.find("://");
    if (origin != "*" && (scheme == std::string::npos || origin.contains('*') ||
                          origin.find('/', scheme + 3) != std::string::npos)) {
      return Error(ErrorKind::kInvalidArgument,
                   "{} is neither '*' nor an origin such as https://app.example.org",
                   Quoted(origin));
    }
  }
  options.http.cors_origins = values;
  return arrow::Status::OK();
}

arrow::Status SetLogLevel(ServeOptions& options, const Values& values) {
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  if (std::ranges::find(kLevels, values.back()) == kLevels.end()) {
    return Error(ErrorKind::kInvalidArgument, "{} is none of debug, info, warning and error",
                 Quoted(values.back()));
  }
  options.log_level = values.back();
  return arrow::Status::OK();
}

arrow::Status SetLogFormat(ServeOptions& options, const Values& values) {
  if (values.back() == "text") {
    options.log_format = LogFormat::kText;
  } else if (values.back() == "json") {
    options.log_format = LogFormat::kJson;
  } else {
    return Error(ErrorKind::kInvalidArgument, "{} is neither text nor json", Quoted(values.back()));
  }
  return arrow::Status::OK();
}

arrow::Status SetClientCertificates(ServeOptions& options, const Values& values) {
  if (values.back() == "off") {
    options.tls.client_certificates = ClientCertificates::kOff;
  } else if (values.back() == "optional") {
    options.tls.client_certificates = ClientCertificates::kOptional;
  } else if (values.back() == "required" || values.back().empty()) {
    options.tls.client_certificates = ClientCertificates::kRequired;
  } else {
    return Error(ErrorKind::kInvalidArgument, "{} is none of off, optional and required",
                 Quoted(values.back()));
  }
  return arrow::Status::OK();
}

template <auto... path>
arrow::Status SetSwitch(ServeOptions& options, const Values& values) {
  if (values.back() != "true" && values.back() != "false") {
    return Error(ErrorKind::kInvalidArgument, "{} is neither true nor false",
                 Quoted(values.back()));
  }
  FieldOf<path...>(options) = values.back() == "true";
  return arrow::Status::OK();
}

arrow::Status SetPeers(ServeOptions& options, const Values& values) {
  for (const std::string& peer : values) {
    if (!peer.contains("://") && !peer.starts_with("file:") && !peer.starts_with("dns:") &&
        !peer.starts_with("dns+tls:")) {
      return Error(ErrorKind::kInvalidArgument,
                   "{} is neither a URI such as grpc://data.example.org:8815, nor file:PATH, nor "
                   "dns:NAME:PORT",
                   Quoted(peer));
    }
  }
  options.shared.peers = values;
  return arrow::Status::OK();
}

constexpr std::string_view kDataAndAddress = "Data and address";
constexpr std::string_view kShared = "Buckets and several servers";
constexpr std::string_view kMemory = "Memory";
constexpr std::string_view kLog = "Log and stop";
constexpr std::string_view kPast = "Past versions";
constexpr std::string_view kLimits = "Limits";
constexpr std::string_view kEncryption = "Encryption";
constexpr std::string_view kAccess = "Who is asking, and what they may do";
constexpr std::string_view kHttp = "HTTP and metrics";

constexpr auto kLimitsField = &ServeOptions::limits;
constexpr auto kHistoryField = &ServeOptions::history;
constexpr auto kTlsField = &ServeOptions::tls;
constexpr auto kSharedField = &ServeOptions::shared;
constexpr auto kAccessField = &ServeOptions::access;
constexpr auto kHttpField = &ServeOptions::http;

using enum SettingForm;

constexpr Setting kSettings[] = {
    {kDataAndAddress, "data",
     "folder whose Parquet files are the datasets, made when missing; or a bucket: "
     "s3://BUCKET/PREFIX?endpoint=...",
     "./datasets", "", kFolder, "", SetTextThatIsNeeded<&ServeOptions::data>},
    {kDataAndAddress, "listen",
     "address: grpc://HOST:PORT (port 0: a free one) or grpc+unix:///PATH", "grpc://0.0.0.0:8815",
     "", kText, "", SetTextThatIsNeeded<&ServeOptions::listen>},
    {kDataAndAddress, "advertise", "address that endpoints name for clients, can be repeated", "",
     "the connection that asked", kList, "", SetAdvertise},

    {kShared, "peers",
     "every server of the same datasets: addresses, file:PATH of a list, or dns:NAME:PORT", "",
     "this one alone", kList, "", SetPeers},
    {kShared, "peer_ca", "PEM file of the authorities whose certificates of peers count", "",
     "the system's", kFile, "", SetText<kSharedField, &Shared::peer_ca>},
    {kShared, "cache_disk", "folder that keeps what was fetched from a bucket, made when missing",
     "", "none", kFolder, "", SetText<kSharedField, &Shared::cache_disk>},
    {kShared, "cache_disk_bytes", "disk space that it takes, at most", "10GiB", "", kAmount, "",
     SetBytes<kSharedField, &Shared::cache_disk_bytes>},
    {kShared, "metadata_ttl",
     "how long a bucket is not asked again which version a dataset has; 0: each time", "0s", "",
     kAmount, "", SetDuration<0, kSharedField, &Shared::metadata_ttl>},
    {kShared, "single_writer",
     "true: no other program writes to the bucket, whose store cannot decide between several",
     "false", "", kSwitch, "", SetSwitch<kSharedField, &Shared::single_writer>},

    {kMemory, "memory_limit", "memory that the server takes, about: 4GiB or 50%, 128MiB at least",
     "50%", "", kAmount, "", SetMemoryLimit},
    {kMemory, "cache_memory",
     "memory for what reads decode, kept for the next ones: 4GiB, 25% or 0", "25%", "", kAmount, "",
     SetMemory<&ServeOptions::cache_memory>},
    {kMemory, "queue_timeout", "how long a read or an upload waits for memory that others hold",
     "30s", "", kAmount, "", SetDuration<0, &ServeOptions::queue_timeout>},

    {kLog, "log_level", "least severe messages logged: debug, info, warning or error", "info", "",
     kChoice, "debug|info|warning|error", SetLogLevel},
    {kLog, "log_format", "form of the log on standard error: text or json", "text", "", kChoice,
     "text|json", SetLogFormat},
    {kLog, "grace", "how long running calls may go on after a signal to stop", "30s", "", kAmount,
     "", SetDuration<0, &ServeOptions::grace>},

    {kPast, "ticket_ttl", "how long a ticket can be redeemed whatever happens to the dataset",
     "10m", "", kAmount, "", SetDuration<0, kHistoryField, &History::ticket_ttl>},
    {kPast, "keep_versions", "past versions of a dataset that are kept, at most", "10", "", kNumber,
     "", SetCount<0, kHistoryField, &History::versions>},
    {kPast, "keep_for", "how long past versions and dropped datasets are kept, at most", "7d", "",
     kAmount, "", SetDuration<0, kHistoryField, &History::time>},
    {kPast, "history_bytes", "disk space that they take in all, at most: 10%, 50GiB or 0", "10%",
     "", kAmount, "", SetHistoryBytes},

    {kLimits, "max_streams", "reads, listings and uploads under way at once", "1024", "", kNumber,
     "", SetCount<1, kLimitsField, &Limits::streams>},
    {kLimits, "max_streams_per_caller",
     "the same, of one identity, or of one address where there is none", "256", "", kNumber, "",
     SetCount<1, kLimitsField, &Limits::streams_per_caller>},
    {kLimits, "max_uploads", "uploads under way at once", "64", "", kNumber, "",
     SetCount<1, kLimitsField, &Limits::uploads>},
    {kLimits, "max_uploads_per_caller", "the same, of one identity or address", "64", "", kNumber,
     "", SetCount<1, kLimitsField, &Limits::uploads_per_caller>},
    {kLimits, "max_caller_bytes_per_second",
     "bytes a second that one identity or address gets, and sends; 0: no limit", "0", "", kAmount,
     "", SetCallerBytes},
    {kLimits, "max_upload_bytes", "bytes that one upload may send, and that its file may have",
     "1TiB", "", kAmount, "", SetBytes<kLimitsField, &Limits::upload_bytes>},
    {kLimits, "max_columns", "columns of a dataset that is put", "10000", "", kNumber, "",
     SetCount<1, kLimitsField, &Limits::columns>},
    {kLimits, "max_metadata_bytes",
     "bytes of names and metadata in the schema of a dataset that is put", "16MiB", "", kAmount, "",
     SetBytes<kLimitsField, &Limits::metadata_bytes>},
    {kLimits, "max_message_bytes", "bytes of one message from a client", "2GiB", "", kAmount, "",
     SetBytes<kLimitsField, &Limits::message_bytes>},
    {kLimits, "stall_timeout", "how long a client may take or send nothing in the middle of a call",
     "1m", "", kAmount, "", SetDuration<1, kLimitsField, &Limits::stall_timeout>},
    {kLimits, "keepalive", "how long a connection may be silent before it must show a sign of life",
     "1m", "", kAmount, "", SetDuration<1, kLimitsField, &Limits::keepalive>},

    {kEncryption, "tls_cert",
     "PEM file of the server's certificate; it is read again when it changes", "", "no encryption",
     kFile, "", SetText<kTlsField, &Tls::certificate>},
    {kEncryption, "tls_key", "PEM file of its key", "", "none", kFile, "",
     SetText<kTlsField, &Tls::key>},
    {kEncryption, "client_ca", "PEM file of the authorities whose client certificates count", "",
     "none", kFile, "", SetText<kTlsField, &Tls::client_ca>},
    {kEncryption, "client_certificates", "with client_ca: off, optional or required", "",
     "required", kChoice, "off|optional|required", SetClientCertificates},
    {kEncryption, "insecure",
     "true: secrets may cross the network unencrypted, as behind a proxy that encrypts", "false",
     "", kSwitch, "", SetSwitch<kTlsField, &Tls::insecure>},

    {kAccess, "policy", "TOML file that says who may do what; it is read again when it changes", "",
     "whoever is known may do all", kFile, "", SetText<kAccessField, &Access::policy>},
    {kAccess, "token_file", "file of the tokens that 'hangar token' makes", "", "no tokens", kFile,
     "", SetText<kAccessField, &Access::token_file>},
    {kAccess, "user_file", "file of the users that 'hangar user' makes", "", "no passwords", kFile,
     "", SetText<kAccessField, &Access::user_file>},
    {kAccess, "session_lifetime", "how long what a login with a password gives is good for", "1h",
     "", kAmount, "", SetDuration<1'000, kAccessField, &Access::session_lifetime>},
    {kAccess, "session_key",
     "file of 32 bytes or more that logins are signed with: several servers that share it take "
     "each other's",
     "", "a new one at each start", kFile, "", SetText<kAccessField, &Access::session_key>},
    {kAccess, "jwks", "an identity provider's keys: a file, or an https address", "",
     "no such provider", kText, "", SetText<kAccessField, &Access::jwks>},
    {kAccess, "jwt_issuer", "what its tokens have as 'iss'", "", "none", kText, "",
     SetText<kAccessField, &Access::jwt_issuer>},
    {kAccess, "jwt_audience", "what they have as 'aud' when they are for this server", "", "none",
     kText, "", SetText<kAccessField, &Access::jwt_audience>},
    {kAccess, "jwt_name_claim", "the claim that names who it is", "sub", "", kText, "",
     SetTextThatIsNeeded<kAccessField, &Access::jwt_name_claim>},
    {kAccess, "jwt_groups_claim", "the claim that names their groups", "groups", "", kText, "",
     SetText<kAccessField, &Access::jwt_groups_claim>},
    {kAccess, "audit_log",
     "file of writes, drops, logins and refusals, a JSON line each; '-': in the log", "", "none",
     kFile, "", SetText<kAccessField, &Access::audit_log>},

    {kHttp, "http", "HOST:PORT for HTTP", "", "no HTTP", kText, "",
     SetText<kHttpField, &Http::listen>},
    {kHttp, "http_cors_origin", "origin whose pages may read over HTTP, or '*'; can be repeated",
     "", "none", kList, "", SetCorsOrigins},
    {kHttp, "http_connections", "HTTP connections at once", "512", "", kNumber, "",
     SetCount<1, kHttpField, &Http::connections>},
    {kHttp, "metrics", "HOST:PORT for /metrics, /healthz and /readyz alone, without encryption", "",
     "only beside the datasets over HTTP", kText, "", SetText<kHttpField, &Http::metrics_listen>},
};

// The number of single-character edits between two words (Levenshtein's distance, row by row).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

std::string Respelled(std::string_view prefix, std::string_view name, char separator, bool upper) {
  std::string spelled(prefix);
  for (const char c : name) {
    const char letter = upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    spelled += c == '_' ? separator : letter;
  }
  return spelled;
}

}  // namespace

std::string Setting::flag() const { return Respelled("--", name, '-', /*upper=*/false); }
std::string Setting::environment() const { return Respelled("HANGAR_", name, '_', /*upper=*/true); }

std::span<const Setting> ServeSettings() { return kSettings; }

const Setting& NearestSetting(std::string_view name) {
  return *std::ranges::min_element(
      kSettings, {}, [name](const Setting& setting) { return EditDistance(name, setting.name); });
}

}  // namespace hangar
