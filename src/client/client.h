#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

/// The client library of Hangar: list, describe, write, read, drop and rename the datasets of a
/// server. Installed as <hangar/client.h>; with CMake: find_package(hangar), link hangar::client.
///
///   ARROW_ASSIGN_OR_RAISE(auto client, hangar::client::Client::Connect({}));
///   ARROW_ASSIGN_OR_RAISE(auto summary, client->Put("sales.parquet", *batches, {}));
///   ARROW_ASSIGN_OR_RAISE(auto stream, client->Get("sales.parquet", {.columns = {{"amount"}}}));
///   ARROW_ASSIGN_OR_RAISE(auto table, stream.batches->ToTable());
///
/// Every failed status holds one sentence, the server's own where the server answered, and a kind
/// that `ErrorCode` tells.
namespace hangar::client {

/// Where a server of this machine listens by default.
inline constexpr char kDefaultUri[] = "grpc://127.0.0.1:8815";

struct ClientOptions {
  /// grpc://HOST:PORT, or grpc+unix:///PATH for a socket of this machine.
  std::string uri = kDefaultUri;
};

/// One dataset in one version.
struct DatasetInfo {
  std::string name;
  std::string version;  ///< Opaque; equal exactly when the stored bytes are the same.
  /// When this version was published; the epoch when the server does not say.
  std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds> modified{};
  int64_t rows = 0;
  int64_t bytes = 0;  ///< At rest; -1 when the server does not say.
  int64_t row_groups = 0;
  std::shared_ptr<arrow::Schema> schema;
};

struct ListOptions {
  std::string prefix;            ///< Only names that begin with these bytes.
  std::string glob;              ///< Only names that match; `*` stays in a segment, `**` does not.
  std::string after;             ///< Only names greater than this one.
  std::optional<int64_t> limit;  ///< At most so many.
};

/// Walks a listing in the order of the names. Holds a page of it at a time. One thread at a time.
class DatasetListing {
 public:
  virtual ~DatasetListing() = default;

  /// The next dataset, or nullopt at the end. Blocks while a page is fetched.
  virtual arrow::Result<std::optional<DatasetInfo>> Next() = 0;
};

/// How far an upload has come.
struct PutProgress {
  int64_t rows = 0;
  int64_t bytes = 0;  ///< Of Arrow data handed to the transport.
};

struct PutOptions {
  /// True: the name must be free, else ALREADY_EXISTS. False: what is there is replaced.
  bool create = false;
  /// Replace only this version, else FAILED_PRECONDITION.
  std::string if_version;
  std::string codec;                      ///< Of the Parquet pages, for example "zstd".
  std::optional<int64_t> level;           ///< Of the codec.
  std::optional<int64_t> row_group_rows;  ///< Most rows in a row group.
  /// Called after each batch, on the thread that called Put.
  std::function<void(const PutProgress&)> on_progress;
};

struct PutSummary {
  std::string dataset;
  std::string version;
  int64_t rows = 0;
  int64_t bytes = 0;  ///< At rest.
};

struct GetOptions {
  std::optional<std::vector<std::string>> columns;  ///< In this order; all when not given.
  int64_t offset = 0;                               ///< Rows to leave out at the start.
  std::optional<int64_t> limit;                     ///< At most so many rows.
  /// How many connections read in parallel, 1 to 64. The rows keep their order.
  int partitions = 1;
  std::string version;      ///< Exactly this version; the current one when empty.
  std::string compression;  ///< On the wire: "none", "lz4" or "zstd"; the server's choice if empty.
};

/// A running read.
struct DatasetStream {
  /// What is read: `rows` and `schema` are those of the selection, the rest the dataset's.
  DatasetInfo info;
  /// The rows, in order. One thread at a time; it reads ahead on threads of its own, up to eight
  /// batches (of about 1 MiB) a partition, and stops them when it is destroyed. It keeps what it
  /// needs of the client alive.
  std::shared_ptr<arrow::RecordBatchReader> batches;
};

struct RenameOptions {
  bool overwrite = false;  ///< Replace what has the new name, else that is ALREADY_EXISTS.
  std::string if_version;  ///< Rename only this version, else FAILED_PRECONDITION.
};

/// An action that the server offers.
struct ActionInfo {
  std::string name;
  std::string description;
};

/// The code of a failed status as protocols spell it: "NOT_FOUND", "UNAVAILABLE", ... "INTERNAL"
/// for one that this library did not make.
std::string_view ErrorCode(const arrow::Status& status);

/// A client of one server. Thread-safe; every call blocks until the server has answered.
class Client {
 public:
  /// INVALID_ARGUMENT when the address is not one. The server is first contacted by the first
  /// call, which is UNAVAILABLE when it cannot be reached.
  static arrow::Result<std::unique_ptr<Client>> Connect(const ClientOptions& options);

  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Errors of the server are told by the listing's first Next.
  std::unique_ptr<DatasetListing> List(const ListOptions& options) const;

  /// NOT_FOUND when there is no dataset of that name; so for all calls below that take a name.
  arrow::Result<DatasetInfo> Describe(const std::string& name) const;

  arrow::Result<std::shared_ptr<arrow::Schema>> Schema(const std::string& name) const;

  /// Uploads all batches as the whole content of `name`. When it returns OK the dataset is durable
  /// and visible; when it fails, also because `batches` fails, nothing was changed. An exception
  /// is a connection that is lost after the last batch: the server may have published already.
  arrow::Result<PutSummary> Put(const std::string& name, arrow::RecordBatchReader& batches,
                                const PutOptions& options) const;

  arrow::Result<DatasetStream> Get(const std::string& name, const GetOptions& options) const;

  arrow::Status Drop(const std::string& name) const;

  arrow::Status Rename(const std::string& from, const std::string& to,
                       const RenameOptions& options) const;

  arrow::Result<std::vector<ActionInfo>> Actions() const;

 private:
  struct Impl;
  explicit Client(std::shared_ptr<const Impl> impl);

  const std::shared_ptr<const Impl> impl_;
};

}  // namespace hangar::client
