#pragma once

#include <optional>
#include <string>

#include "s3/s3_client.h"

namespace hangar {

/// What became of a write whose answer was lost.
enum class WriteOutcome {
  kDone,      ///< It happened.
  kNotDone,   ///< It did not, and may be sent again.
  kConflict,  ///< Its condition does not hold (any more).
};

/// What a write leaves behind.
struct WrittenObject {
  std::optional<std::string> etag;    ///< nullopt: cannot be told.
  std::optional<int64_t> size_bytes;  ///< Likewise.
  std::string write_id = {};          ///< Where there is one, it alone decides.
};

/// Tells from what stands at the key now. A write that happened and was replaced since looks like a
/// conflict.
WriteOutcome OutcomeOfWrite(const WrittenObject& written, const S3Condition& condition,
                            const std::optional<S3Object>& found);

}  // namespace hangar
