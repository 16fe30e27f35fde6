#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

/// The client library of Hangar: list, describe, write, read, drop and rename the datasets of a
/// server, and go back to versions that were replaced or dropped. Installed as <hangar/client.h>;
/// with CMake: find_package(hangar), link hangar::client.
///
///   ARROW_ASSIGN_OR_RAISE(auto client, hangar::client::Client::Connect({}));
///   ARROW_ASSIGN_OR_RAISE(auto summary, client->Put("sales.parquet", *batches, {}));
///   ARROW_ASSIGN_OR_RAISE(auto stream, client->Get("sales.parquet", {.columns = {{"amount"}}}));
///   ARROW_ASSIGN_OR_RAISE(auto table, stream.batches->ToTable());
///   ARROW_ASSIGN_OR_RAISE(auto versions, client->Versions("sales.parquet"));
///   ARROW_RETURN_NOT_OK(client->Restore("sales.parquet", {.version = versions.back().version}));
///
/// Every failed status holds one sentence, the server's own where the server answered, and a kind
/// that `ErrorCode` tells.
namespace hangar::client {

class Servers;

/// Where a server of this machine listens by default.
inline constexpr char kDefaultUri[] = "grpc://127.0.0.1:8815";

/// A point in time, UTC.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

struct ClientOptions {
  /// grpc://HOST:PORT, grpc+tls://HOST:PORT for an encrypted connection, or grpc+unix:///PATH for a
  /// socket of this machine. Several servers of the same datasets, in the order in which they are
  /// tried, have commas between them: "grpc://a:8815,grpc://b:8815".
  std::string uri = kDefaultUri;

  /// Shows who asks, with every call. Not beside `user`.
  std::string token;
  /// Whom the client logs in as before its first call, and again when what the login gave expires.
  std::string user;
  std::string password;

  /// PEM: whose signature makes a server's certificate good; those that the system trusts if empty.
  std::string ca_pem;
  /// PEM, both or none: shows who asks to servers that want a client's certificate.
  std::string certificate_pem;
  std::string key_pem;

  /// Lets the token or password go over a network unencrypted, where whoever listens can use it.
  bool insecure = false;

  /// Called with a sentence such as "grpc://a:8815 does not answer; going on at grpc://b:8815", on
  /// any thread, when a server fails that did not fail just before. Only where there is another.
  std::function<void(const std::string& sentence)> on_failover;
};

/// One dataset in one version.
struct DatasetInfo {
  std::string name;
  std::string version;  ///< Opaque; equal exactly when the stored bytes are the same.
  Time modified{};      ///< When it was published; the epoch when the server does not say.
  /// When it was replaced or dropped; not set for the current version.
  std::optional<Time> retired;
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

/// Walks a listing in the server's order, which is that of the names, as it arrives: it is never
/// held as a whole. It keeps what it needs of the client alive. One thread at a time.
template <typename Item>
class Listing {
 public:
  virtual ~Listing() = default;

  /// The next one, or nullopt at the end. Blocks until the server has sent it.
  virtual arrow::Result<std::optional<Item>> Next() = 0;
};

using DatasetListing = Listing<DatasetInfo>;

/// Chooses a version of a dataset; the current one when neither is given. Not both.
struct VersionChoice {
  std::string version;        ///< Exactly this one, as long as the server keeps it.
  std::optional<Time> as_of;  ///< The one that was current then.
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
  /// 1 to 128 bytes of the caller's choice, for uploads that the caller may have to try again, for
  /// example after a connection was lost: where an upload of this dataset with the same id was
  /// committed, another one stores nothing and answers with the first one's summary. What the
  /// client itself tries again at another server gets an id of its own without one.
  std::string upload_id;
  /// Called after each batch, on the thread that called Put.
  std::function<void(const PutProgress&)> on_progress;
};

/// Gives what is to be uploaded, from its beginning, each time it is called: once for each attempt.
using BatchSource = std::function<arrow::Result<std::shared_ptr<arrow::RecordBatchReader>>()>;
using FileSource = std::function<arrow::Result<std::shared_ptr<arrow::io::InputStream>>()>;

struct PutSummary {
  std::string dataset;
  std::string version;
  int64_t rows = 0;
  int64_t bytes = 0;      ///< At rest.
  bool repeated = false;  ///< An earlier upload with the same upload_id has stored this.
};

struct GetOptions {
  std::optional<std::vector<std::string>> columns;  ///< In this order; all when not given.
  int64_t offset = 0;                               ///< Rows to leave out at the start.
  std::optional<int64_t> limit;                     ///< At most so many rows.
  /// How many connections read in parallel, 1 to 64. The rows keep their order.
  int partitions = 1;
  std::string version;        ///< Exactly this version; the current one when empty.
  std::optional<Time> as_of;  ///< The version that was current then. Not together with `version`.
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

struct PutFileOptions {
  bool create = false;     ///< As PutOptions::create.
  std::string if_version;  ///< As PutOptions::if_version.
  std::string upload_id;   ///< As PutOptions::upload_id.
  /// Called with the bytes sent so far after each block, on the thread that called PutFile.
  std::function<void(int64_t bytes)> on_progress;
};

struct GetFileOptions {
  std::string version;        ///< Exactly this version; the current one when empty.
  std::optional<Time> as_of;  ///< The version that was current then. Not together with `version`.
  int partitions = 1;         ///< How many connections read in parallel, 1 to 64.
};

/// The bytes of a file, block by block, in order. One thread at a time; it reads ahead on threads
/// of its own, up to eight blocks a partition, and stops them when it is destroyed. It keeps what
/// it needs of the client alive.
class FileBlocks {
 public:
  virtual ~FileBlocks() = default;

  /// The next bytes, about 1 MiB, or nullptr at the end, which is reached only when as many came as
  /// the file has: DATA_LOSS otherwise.
  virtual arrow::Result<std::shared_ptr<arrow::Buffer>> Next() = 0;
};

/// The stored file of a dataset under way.
struct FileStream {
  DatasetInfo info;  ///< Without `schema` and, -1, `rows`.
  std::shared_ptr<FileBlocks> blocks;
};

struct RenameOptions {
  bool overwrite = false;  ///< Replace what has the new name, else that is ALREADY_EXISTS.
  std::string if_version;  ///< Rename only this version, else FAILED_PRECONDITION.
};

struct DropOptions {
  std::string if_version;  ///< Drop only this version, else FAILED_PRECONDITION.
  bool purge = false;      ///< Keep nothing of it, nor of the versions before.
};

/// What a dataset is now, after a version of it was brought back.
struct DatasetVersion {
  std::string dataset;
  std::string version;
};

enum class VersionState {
  kCurrent,
  kReplaced,  ///< By an upload, a restore, or a rename to this name.
  kDropped,
};

/// A version that the server still has.
struct VersionInfo {
  std::string dataset;
  std::string version;
  Time modified{};  ///< When it was published.
  int64_t rows = 0;
  int64_t bytes = 0;  ///< At rest.
  VersionState state = VersionState::kCurrent;
  std::optional<Time> retired;  ///< Since when it is not the current one.
};

struct RestoreOptions {
  std::string version;        ///< This one,
  std::optional<Time> as_of;  ///< or the one that was current then.
  std::string if_version;     ///< Only if this is the current version, else FAILED_PRECONDITION.
};

/// A dataset that was dropped and can be brought back.
struct DroppedDataset {
  std::string name;
  std::string version;  ///< The one that was current.
  Time dropped{};
  int64_t rows = 0;
  int64_t bytes = 0;  ///< At rest.
};

using TrashListing = Listing<DroppedDataset>;

struct PurgeSummary {
  std::string dataset;
  int64_t versions = 0;  ///< That were removed.
  int64_t bytes = 0;     ///< That they took at rest.
};

/// What the server keeps of versions that are not current, and for how long.
struct HistoryStatus {
  int64_t versions = 0;
  int64_t bytes = 0;                   ///< At rest.
  int64_t limit_bytes = 0;             ///< Above it the oldest go first.
  int64_t keep_versions = 0;           ///< Of each dataset.
  std::chrono::seconds keep_for{0};    ///< Since a version was retired.
  std::chrono::seconds ticket_ttl{0};  ///< How long tickets of any version stay good at least.
};

/// What the server found on reading the whole file of a dataset.
struct CheckedDataset {
  std::string name;
  std::string version;
  int64_t rows = 0;
  int64_t bytes = 0;                   ///< At rest.
  std::optional<std::string> problem;  ///< One sentence; not set for a file that is in order.
};

using CheckListing = Listing<CheckedDataset>;

/// An action that the server offers.
struct ActionInfo {
  std::string name;
  std::string description;
};

/// The code of a failed status as protocols spell it: "NOT_FOUND", "UNAVAILABLE", ... "INTERNAL"
/// for one that this library did not make.
std::string_view ErrorCode(const arrow::Status& status);

/// A client of one server, or of several that serve the same datasets. Thread-safe; every call
/// blocks until a server has answered.
///
/// A call is made once more, over a new connection, where the first could not be made for a reason
/// that passes and nothing of the call was sent. With one server no other call is repeated.
///
/// With several, a call goes on at the next one when a server cannot be reached, ends, or is
/// silent: that is noticed within 22 seconds of a running call, and within 5 of a new connection. A
/// server that failed is tried behind the others for a while. Reads go on from the next row.
/// Uploads begin again where what they read can be read again, and store nothing twice. Drop,
/// Rename, Restore, Undrop and PurgeVersions are repeated only where the server certainly got
/// nothing of them; otherwise the error says that it is not known what became of them.
class Client {
 public:
  /// INVALID_ARGUMENT when the address is not one, or a token or password would go over a network
  /// unencrypted. The server is first contacted by the first call, which is UNAVAILABLE when it
  /// cannot be reached, and UNAUTHENTICATED when it does not know whom the options show.
  static arrow::Result<std::unique_ptr<Client>> Connect(const ClientOptions& options);

  /// Logs in now, where the options give a user, and gives the token that goes with every call, so
  /// that it can be kept for other clients; empty where there is none.
  arrow::Result<std::string> LogIn() const;

  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Errors of the server are told by the listing's first Next.
  std::unique_ptr<DatasetListing> List(const ListOptions& options) const;

  /// NOT_FOUND when there is no dataset of that name, or the version is not kept (any more); so for
  /// all calls below that take a name.
  arrow::Result<DatasetInfo> Describe(const std::string& name,
                                      const VersionChoice& choice = {}) const;

  arrow::Result<std::shared_ptr<arrow::Schema>> Schema(const std::string& name,
                                                       const VersionChoice& choice = {}) const;

  /// Uploads all batches as the whole content of `name`. When it returns OK the dataset is durable
  /// and visible; when it fails, also because `batches` fails, nothing was changed. An exception
  /// is a connection that is lost after the last batch: the server may have published already, and
  /// PutOptions::upload_id lets the caller try again without harm.
  arrow::Result<PutSummary> Put(const std::string& name, arrow::RecordBatchReader& batches,
                                const PutOptions& options) const;

  /// The same of batches that can be read again, so that another of several servers can be tried
  /// at any time.
  arrow::Result<PutSummary> Put(const std::string& name, const BatchSource& batches,
                                const PutOptions& options) const;
  arrow::Result<PutSummary> Put(const std::string& name, std::shared_ptr<arrow::Table> table,
                                const PutOptions& options) const;

  arrow::Result<DatasetStream> Get(const std::string& name, const GetOptions& options) const;

  /// Uploads a Parquet file, read from where `file` stands to its end, which the server stores byte
  /// for byte once it has verified it; as Put in all else. INVALID_ARGUMENT when it is not Parquet
  /// that the server can serve, UNIMPLEMENTED when the server is too old for it. A file that can
  /// seek (arrow::io::Seekable) is read again from there where another server has to be tried.
  arrow::Result<PutSummary> PutFile(const std::string& name, arrow::io::InputStream& file,
                                    const PutFileOptions& options) const;
  arrow::Result<PutSummary> PutFile(const std::string& name, const FileSource& file,
                                    const PutFileOptions& options) const;

  /// The stored file itself, byte for byte. PERMISSION_DENIED when a part of it is hidden from the
  /// caller, whom Get gives the rest; UNIMPLEMENTED when the server is too old for it.
  arrow::Result<FileStream> GetFile(const std::string& name,
                                    const GetFileOptions& options = {}) const;

  /// The version is kept for a while, and Undrop brings it back, unless the options say otherwise.
  arrow::Status Drop(const std::string& name, const DropOptions& options = {}) const;

  arrow::Status Rename(const std::string& from, const std::string& to,
                       const RenameOptions& options) const;

  /// The versions that there are: the current one first, then the latest retired first. NOT_FOUND
  /// when nothing at all is kept of that name.
  arrow::Result<std::vector<VersionInfo>> Versions(const std::string& name) const;

  /// Makes a version that is kept the current one again; what was current is retired. The dataset
  /// may have been dropped.
  arrow::Result<DatasetVersion> Restore(const std::string& name,
                                        const RestoreOptions& options) const;

  /// Brings a dropped dataset back as it was. ALREADY_EXISTS when there is a dataset of that name
  /// by now.
  arrow::Result<DatasetVersion> Undrop(const std::string& name) const;

  /// The dropped datasets that Undrop can bring back. Errors are told by the first Next.
  std::unique_ptr<TrashListing> Trash(const ListOptions& options) const;

  /// Removes versions of `name` that are not current for good: all of them, or only `version`.
  arrow::Result<PurgeSummary> PurgeVersions(const std::string& name,
                                            const std::string& version = {}) const;

  arrow::Result<HistoryStatus> History() const;

  /// Lets the server read the whole file of a dataset, or of all datasets when `name` is empty, and
  /// verify it: footer, checksums of the pages, row count. Damage is a `problem`, not an error;
  /// errors are told by Next. Takes as long as reading everything from the disk.
  std::unique_ptr<CheckListing> Check(const std::string& name = {}) const;

  arrow::Result<std::vector<ActionInfo>> Actions() const;

 private:
  explicit Client(std::shared_ptr<Servers> servers);

  const std::shared_ptr<Servers> servers_;
};

}  // namespace hangar::client
