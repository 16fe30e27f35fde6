#include "s3/signed_bucket_client.h"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "s3/credential_chain.h"
#include "s3/s3_xml.h"

namespace hangar {

SignedBucketClient::SignedBucketClient(const S3Location& location,
                                       const BucketClientSettings& settings,
                                       std::unique_ptr<CredentialKeeper> credentials,
                                       std::shared_ptr<Logger> logger, Metrics* metrics)
    : location_(location),
      settings_(settings),
      requests_(location,
                {.ca_file = location.ca_file,
                 .use_proxy = !IsLoopbackUrl(location.endpoint),
                 .connect_timeout = settings.connect_timeout,
                 .stall_timeout = settings.stall_timeout},
                settings.retry, std::move(credentials), std::move(logger), metrics) {}

std::string SignedBucketClient::Shown(const std::string& key) const {
  std::string_view shown = key;
  if (shown.starts_with(location_.prefix)) shown.remove_prefix(location_.prefix.size());
  return Quoted(shown);
}

arrow::Result<S3HttpResponse> SignedBucketClient::Send(const S3Call& call) {
  Attempts attempts;
  ARROW_ASSIGN_OR_RAISE(S3Answer answer, requests_.Send(call, &attempts));
  if (answer.problem) {
    return ToStatus(*answer.problem, call.key ? Shown(*call.key) : "the bucket");
  }
  return std::move(answer.response);
}

arrow::Status SignedBucketClient::Unknown(const std::string& key) const {
  return Error(ErrorKind::kUnavailable,
               "{}: the object store does not answer; it is not known whether it did what it was "
               "asked for",
               Shown(key));
}

arrow::Result<std::string> SignedBucketClient::BucketVersioning() {
  ARROW_ASSIGN_OR_RAISE(
      const S3HttpResponse response,
      Send({.operation = "GetBucketVersioning", .method = "GET", .query = {{"versioning", ""}}}));
  return ParseVersioning(response.body);
}

arrow::Result<std::shared_ptr<S3Client>> MakeBucketClient(const S3Location& location,
                                                          BucketClientSettings settings,
                                                          const Environment& environment,
                                                          std::shared_ptr<Logger> logger,
                                                          Metrics* metrics) {
  if (!location.ca_file.empty() && ::access(location.ca_file.c_str(), R_OK) != 0) {
    return Error(ErrorKind::kFailedPrecondition,
                 "the file '{}' of the object store's authorities cannot be read",
                 location.ca_file);
  }
  ARROW_ASSIGN_OR_RAISE(auto credentials, FindCredentials(location, environment));
  auto keeper = std::make_unique<CredentialKeeper>(std::move(credentials), logger, settings.now);
  return std::make_shared<SignedBucketClient>(location, settings, std::move(keeper),
                                              std::move(logger), metrics);
}

arrow::Result<std::shared_ptr<S3Client>> S3Client::Make(const S3Location& location,
                                                        std::shared_ptr<Logger> logger,
                                                        Metrics* metrics) {
  BucketClientSettings settings;
  settings.stall_timeout = location.timeout;
  settings.long_stall_timeout = 10 * location.timeout;
  settings.retry.time_max = 4 * location.timeout;
  return MakeBucketClient(location, std::move(settings), ProcessEnvironment(), std::move(logger),
                          metrics);
}

}  // namespace hangar
