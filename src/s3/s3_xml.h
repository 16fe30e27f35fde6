#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "base/clock.h"
#include "s3/s3_client.h"

namespace hangar {

// The documents of S3's interface
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html).
// One that is not what was expected is UNAVAILABLE: something between here and the store cut or
// replaced it.

/// What an <Error> says. Its message is for the log.
struct S3ErrorDocument {
  std::string code;
  std::string message;
};

/// nullopt for anything but an <Error>, which stores also send with the status 200.
std::optional<S3ErrorDocument> ParseErrorDocument(std::string_view xml);

/// <ListBucketResult> of version 2, asked for with `encoding-type=url`.
arrow::Result<S3Listing> ParseListing(std::string_view xml);

/// The id in an <InitiateMultipartUploadResult>.
arrow::Result<std::string> ParseBegunUpload(std::string_view xml);

/// The ETag in a <CompleteMultipartUploadResult>.
arrow::Result<std::string> ParseCompletedUpload(std::string_view xml);

/// The ETag and the time in a <CopyObjectResult> or <CopyPartResult>.
struct S3CopyDocument {
  std::string etag;
  Timestamp modified{};
};
arrow::Result<S3CopyDocument> ParseCopy(std::string_view xml);

/// One page of a <ListMultipartUploadsResult>, asked for with `encoding-type=url`. The next one
/// begins behind its last upload; <NextKeyMarker> says the same, which radosgw does not encode.
struct S3UploadsPage {
  std::vector<S3Upload> uploads;
  bool is_last = true;
};
arrow::Result<S3UploadsPage> ParseUploads(std::string_view xml);

/// "Enabled", "Suspended" or "", of a <VersioningConfiguration>.
arrow::Result<std::string> ParseVersioning(std::string_view xml);

/// <CompleteMultipartUpload>.
std::string CompleteUploadDocument(const std::vector<S3Part>& parts);

/// An ETag without the quotes around it.
std::string UnquotedETag(std::string_view etag);

}  // namespace hangar
