#include "s3/request_headers.h"

#include <format>

namespace hangar {

std::string InQuotes(const std::string& etag) { return "\"" + etag + "\""; }

std::vector<std::string> ConditionHeaders(const S3Condition& condition) {
  switch (condition.kind) {
    case S3Condition::Kind::kNone:
      return {};
    case S3Condition::Kind::kAbsent:
      return {"If-None-Match: *"};
    case S3Condition::Kind::kETag:
      return {"If-Match: " + InQuotes(condition.etag)};
  }
  return {};
}

std::string RangeText(int64_t offset, int64_t length) {
  return std::format("bytes={}-{}", offset, offset + length - 1);
}

}  // namespace hangar
