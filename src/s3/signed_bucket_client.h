#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "s3/bucket_client.h"
#include "s3/s3_client.h"
#include "s3/s3_requests.h"
#include "s3/write_outcome.h"

namespace hangar {

/// The one implementation of S3Client; what it is made of, by what it does to the bucket.
class SignedBucketClient : public S3Client {
 public:
  SignedBucketClient(const S3Location& location, const BucketClientSettings& settings,
                     std::unique_ptr<CredentialKeeper> credentials, std::shared_ptr<Logger> logger,
                     Metrics* metrics);

  arrow::Result<S3Object> Head(const std::string& key) override;
  arrow::Status Read(const std::string& key, const std::string& etag, int64_t offset,
                     int64_t length, void* out) override;
  void NoteDamaged(const std::string& key) override { requests_.NoteDamaged(Shown(key)); }
  arrow::Result<S3Object> ReadEnd(const std::string& key, int64_t length,
                                  std::string* out) override;
  arrow::Result<S3Object> Write(const std::string& key, std::string_view bytes,
                                const S3Condition& condition) override;
  arrow::Result<std::string> BeginUpload(const std::string& key) override;
  arrow::Result<S3Part> UploadPart(const std::string& key, const std::string& upload_id, int number,
                                   std::string_view bytes) override;
  arrow::Result<S3Part> UploadPartCopy(const std::string& key, const std::string& upload_id,
                                       int number, const std::string& source,
                                       const std::string& source_etag, int64_t offset,
                                       int64_t length) override;
  arrow::Result<S3Object> CompleteUpload(const std::string& key, const std::string& upload_id,
                                         const std::vector<S3Part>& parts,
                                         const S3Condition& condition) override;
  arrow::Status AbortUpload(const std::string& key, const std::string& upload_id) override;
  arrow::Result<std::vector<S3Upload>> ListUploads(const std::string& prefix) override;
  arrow::Result<S3Object> Copy(const std::string& source, const std::string& source_etag,
                               const std::string& target) override;
  arrow::Status Delete(const std::string& key, const S3Condition& condition) override;
  arrow::Result<S3Listing> List(const S3ListRequest& request) override;
  arrow::Result<std::string> BucketVersioning() override;

 private:
  // What a write that may not be sent twice looks like from outside.
  struct SingleWrite {
    S3Call call;
    WrittenObject written;
    S3Condition condition;
  };

  // bucket_client.cc
  std::string Shown(const std::string& key) const;
  arrow::Result<S3HttpResponse> Send(const S3Call& call);
  arrow::Status Unknown(const std::string& key) const;

  // bucket_reads.cc
  arrow::Result<std::optional<S3Object>> Look(const std::string& key);
  arrow::Result<S3Object> ObjectOf(const std::string& key, const S3HttpResponse& response,
                                   int64_t size_bytes) const;

  // bucket_writes.cc
  arrow::Result<S3Object> WrittenOf(const SingleWrite& write, const S3HttpResponse& response) const;
  arrow::Status Refusal(const SingleWrite& write, const S3Problem& problem) const;
  arrow::Result<S3Object> SendWrite(const SingleWrite& write);
  arrow::Status SendDelete(const S3Call& call, const std::string& etag);

  // bucket_copies.cc
  arrow::Result<S3Object> CopyWhole(const S3Object& source, const std::string& target);
  arrow::Result<S3Object> CopyInParts(const S3Object& source, const std::string& target);
  std::string SourceHeader(const std::string& source) const;

  const S3Location location_;
  const BucketClientSettings settings_;
  S3Requests requests_;
};

}  // namespace hangar
