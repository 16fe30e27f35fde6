#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace hangar {

enum class LogFormat { kText, kJson };

/// An amount of memory: `bytes`, or, where `percent` is not 0, that part of what the process may
/// use.
struct MemoryAmount {
  int64_t bytes = 0;
  int percent = 0;

  bool operator==(const MemoryAmount&) const = default;
};

/// Less than this is not enough to work with.
inline constexpr int64_t kMemoryLimitBytesMin = 128LL << 20;

/// How much clients may ask for. What goes beyond is refused with a sentence that names the
/// setting.
struct Limits {
  /// Reads, listings and uploads under way at once, of all callers and of one: an identity where
  /// there is authentication, else an address.
  int64_t streams = 1024;
  int64_t streams_per_caller = 256;
  /// Uploads under way at once, of all callers and of one; each is a stream, too.
  int64_t uploads = 64;
  int64_t uploads_per_caller = 64;
  /// Bytes a second that one caller gets and sends, each way; 0: as many as there are.
  int64_t caller_bytes_per_second = 0;
  /// Arrow bytes that one upload may send, and bytes that its file may have.
  int64_t upload_bytes = 1LL << 40;
  /// Columns of a dataset, and bytes of its schema's names and metadata.
  int64_t columns = 10'000;
  int64_t metadata_bytes = 16LL << 20;
  /// Bytes of one message that a client sends.
  int64_t message_bytes = 2LL << 30;
  /// How long a client may take nothing, or send nothing, in the middle of a call.
  std::chrono::milliseconds stall_timeout{60'000};
  /// How long a connection may be silent before it is asked for a sign of life.
  std::chrono::milliseconds keepalive{60'000};

  bool operator==(const Limits&) const = default;
};

/// What is kept of the versions that were replaced or dropped: as long as all three of `versions`,
/// `time` and `bytes` allow it, and in any case as long as tickets can name them.
struct History {
  /// How long a ticket can be redeemed whatever happens to the dataset.
  std::chrono::milliseconds ticket_ttl{10 * 60'000};
  int64_t versions = 10;  ///< Of each name.
  std::chrono::milliseconds time{7 * 24 * 3'600'000LL};
  MemoryAmount bytes{.percent = 10};  ///< Of all names; percent of the file system.
};

enum class ClientCertificates {
  kOff,       ///< None is asked for.
  kOptional,  ///< One that is shown has to be good.
  kRequired,  ///< There is no connection without a good one.
};

/// How connections are encrypted. The files are looked at again when they change.
struct Tls {
  std::string certificate;  ///< PEM file, the server's own first; empty: no encryption.
  std::string key;          ///< PEM file.
  std::string client_ca;    ///< PEM file of those whose certificates of clients count.
  ClientCertificates client_certificates = ClientCertificates::kRequired;  ///< With `client_ca`.
  /// Lets anybody who listens on the way read and replay what shows who somebody is: authentication
  /// without encryption on an address that others reach.
  bool insecure = false;
};

/// What matters where the datasets are in a bucket, or other servers serve the same ones.
struct Shared {
  /// This server alone writes to the bucket, whose store does not keep conditions of writes.
  bool single_writer = false;
  /// How long what the store said of a dataset counts without asking it again.
  std::chrono::milliseconds metadata_ttl{0};
  std::string cache_disk;  ///< Folder for what was fetched from the bucket; empty: none.
  int64_t cache_disk_bytes = 10LL << 30;
  /// All servers over the same datasets: each an address as in `advertise`, "file:PATH" of a file
  /// that has one in each line, or "dns:NAME:PORT", "dns+tls:NAME:PORT" for all addresses that a
  /// name has.
  std::vector<std::string> peers;
  std::string peer_ca;  ///< PEM file of authorities for peers' certificates; empty: the system's.
};

/// Who is asking, and what they may do.
struct Access {
  std::string policy;      ///< TOML file of roles; empty: whoever is authenticated may do all.
  std::string token_file;  ///< Of tokens' hashes; empty: no tokens.
  std::string user_file;   ///< Of users' password hashes; empty: no passwords.
  std::chrono::milliseconds session_lifetime{3'600'000};  ///< Of what a login gives.
  std::string session_key;   ///< File of the secret that logins are signed with; empty: a new one.
  std::string jwks;          ///< File or https address of an identity provider's keys.
  std::string jwt_issuer;    ///< Its "iss".
  std::string jwt_audience;  ///< The "aud" that stands for this server.
  std::string jwt_name_claim = "sub";
  std::string jwt_groups_claim = "groups";
  std::string audit_log;  ///< File; "-": the log itself; empty: none.
};

/// The HTTP door.
struct Http {
  std::string listen;                     ///< HOST:PORT; empty: there is none.
  std::vector<std::string> cors_origins;  ///< That browsers let read answers; "*": all.
  std::string metrics_listen;             ///< HOST:PORT of /metrics and health alone, unencrypted.
  int64_t connections = 512;
};

/// What `hangar serve` runs with.
struct ServeOptions {
  /// The folder whose Parquet files are the datasets; made when it is missing.
  std::string data = "./datasets";
  /// Where to listen: grpc://HOST:PORT (port 0: a free one) or grpc+unix:///PATH.
  std::string listen = "grpc://0.0.0.0:8815";
  /// Addresses that endpoints name for clients; empty: the connection that asked.
  std::vector<std::string> advertise;
  /// How much of what reads decode is kept in memory for the next ones.
  MemoryAmount cache_memory{.percent = 25};
  /// How much memory the process takes, about, whatever is asked of it.
  MemoryAmount memory_limit{.percent = 50};
  /// How long a read or an upload that does not fit into it waits for others to end.
  std::chrono::milliseconds queue_timeout{30'000};
  /// The least severe messages that are logged: "debug", "info", "warning" or "error".
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
  /// How long running calls may go on after a signal to stop.
  std::chrono::milliseconds grace{30'000};
  Limits limits;
  Tls tls;
  Access access;
  Http http;
  History history;
  Shared shared;
};

}  // namespace hangar
