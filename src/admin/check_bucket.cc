#include "admin/check_bucket.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <format>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "s3/bucket_client.h"
#include "s3/bucket_probe.h"
#include "s3/credential_chain.h"
#include "s3/environment.h"
#include "s3/s3_client.h"
#include "s3/s3_location.h"

namespace hangar {
namespace {

namespace fs = std::filesystem;

constexpr char kBucket[] = "bucket";
constexpr char kCredentials[] = "credentials";
constexpr char kWriters[] = "writers";
constexpr char kCache[] = "cache_disk";

// Keeps what the client tells the log of the last failure: errors for clients do not say it.
class FailureKeeper final : public Logger {
 public:
  void Write(LogLevel, std::string_view, std::initializer_list<LogField> fields) override {
    for (const LogField& field : fields) {
      if (field.key == "code") code = field.value;
      if (field.key == "details") details = field.value;
    }
  }

  std::string code;     // As S3 has it.
  std::string details;  // As the store or libcurl has them.
};

bool CheckCredentials(const S3Location& location, Findings& findings) {
  constexpr char kAdvice[] =
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the server, or write them into its "
      "user's shared credentials file";
  const auto source = FindCredentials(location, ProcessEnvironment());
  if (!source.ok()) {
    findings.Problem(kCredentials, source.status().message(), kAdvice);
    return false;
  }
  const auto credentials = (*source)->Fetch();
  if (!credentials.ok()) {
    findings.Problem(kCredentials,
                     std::format("{}: {}", (*source)->Name(), credentials.status().message()),
                     kAdvice);
    return false;
  }
  findings.Ok(kCredentials, std::format("the key {} from {}", Quoted(credentials->access_key_id),
                                        (*source)->Name()));
  return true;
}

std::string AdviceFor(const arrow::Status& status, const FailureKeeper& failure) {
  if (failure.code == "RequestTimeTooSkewed") {
    return "let a time service set this machine's clock, and look at the store's";
  }
  switch (KindOf(status)) {
    case ErrorKind::kFailedPrecondition:
      return "make the bucket, or correct its name in data";
    case ErrorKind::kPermissionDenied:
      return "give the key leave to list, read, write and delete in the bucket, or use another key";
    case ErrorKind::kUnavailable:
      return "look at the endpoint in data or AWS_ENDPOINT_URL, at name service, firewall, proxy "
             "and certificates on the way to it, and whether the store works";
    case ErrorKind::kStorageFull:
    case ErrorKind::kResourceExhausted:
      return "make room in the store, or raise the quota";
    default:
      return "look at endpoint, region and addressing in data";
  }
}

void CheckWriters(const BucketTraits& traits, bool is_single_writer, Findings& findings) {
  if (const auto serves = CheckBucketServes(traits, is_single_writer); !serves.ok()) {
    findings.Problem(kWriters, serves.message(),
                     traits.has_md5_etags
                         ? "use another bucket or store where several servers are to write"
                         : "use a bucket that is not encrypted by keys of one's own");
  } else if (!is_single_writer) {
    findings.Ok(kWriters, "the store decides between several servers that write");
  } else if (traits.keeps_conditions && !traits.keeps_versions) {
    findings.Warning(kWriters,
                     "single_writer is set, and the store would decide between several servers",
                     "leave single_writer out");
  } else {
    findings.Warning(kWriters, "the store does not decide between several servers that write",
                     "see to it that no second server and nobody else writes there");
  }
}

void CheckAccess(const S3Location& location, bool is_single_writer, Findings& findings) {
  const auto failure = std::make_shared<FailureKeeper>();
  BucketClientSettings settings;
  settings.retry.attempts_max = 3;  // Somebody waits for it.
  settings.stall_timeout = std::chrono::seconds(10);
  const auto client =
      MakeBucketClient(location, std::move(settings), ProcessEnvironment(), failure, nullptr);
  if (!client.ok()) {
    findings.Problem(kBucket, client.status().message(), "correct data, or the environment");
    return;
  }
  const auto traits = ProbeBucket(**client, location.prefix);
  const auto listed = traits.ok() ? (*client)->List({.prefix = location.prefix, .keys_max = 1})
                                  : arrow::Result<S3Listing>(traits.status());
  if (!listed.ok()) {
    std::string text = std::format("{}: {}", location.ToString(), listed.status().message());
    if (!failure->details.empty()) text += std::format(" ({})", failure->details);
    findings.Problem(kBucket, std::move(text), AdviceFor(listed.status(), *failure));
    return;
  }
  findings.Ok(kBucket, std::format("{} at {}: objects can be written, listed and removed",
                                   location.ToString(), location.endpoint));
  CheckWriters(*traits, is_single_writer, findings);
}

// The folder itself, or what of the way to it is there already.
std::string NearestFolder(const std::string& folder) {
  std::error_code error;
  fs::path nearest = fs::absolute(folder, error).lexically_normal();
  while (!fs::exists(nearest, error) && nearest.has_relative_path()) {
    nearest = nearest.parent_path();
  }
  return nearest;
}

void CheckDiskCache(const Shared& shared, Findings& findings) {
  const std::string nearest = NearestFolder(shared.cache_disk);
  std::error_code error;
  if (!fs::is_directory(nearest, error)) {
    findings.Problem(kCache, std::format("{} is no folder", Quoted(nearest)),
                     "choose a folder with cache_disk");
    return;
  }
  if (::access(nearest.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.Problem(kCache,
                     std::format("{} cannot be written: {}", Quoted(nearest), std::strerror(errno)),
                     "let the server's user own the folder");
    return;
  }
  struct statvfs info{};
  const int64_t size =
      ::statvfs(nearest.c_str(), &info) == 0
          ? static_cast<int64_t>(info.f_blocks) * static_cast<int64_t>(info.f_frsize)
          : shared.cache_disk_bytes;
  if (size < shared.cache_disk_bytes) {
    findings.Warning(kCache,
                     std::format("{} is on a file system of {} MiB, less than cache_disk_bytes",
                                 Quoted(nearest), size >> 20),
                     "lower cache_disk_bytes, or use a larger disk");
    return;
  }
  findings.Ok(kCache, std::format("{} can be written", Quoted(shared.cache_disk)));
}

}  // namespace

void CheckBucket(const ServeOptions& options, Findings& findings) {
  const auto location = ParseS3Location(options.data);
  if (!location.ok()) {
    findings.Problem(kBucket, location.status().message(), "correct data");
  } else if (CheckCredentials(*location, findings)) {
    CheckAccess(*location, options.shared.single_writer, findings);
  }
  if (!options.shared.cache_disk.empty()) CheckDiskCache(options.shared, findings);
}

}  // namespace hangar
