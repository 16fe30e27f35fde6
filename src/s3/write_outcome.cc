#include "s3/write_outcome.h"

namespace hangar {

WriteOutcome OutcomeOfWrite(const WrittenObject& written, const S3Condition& condition,
                            const std::optional<S3Object>& found) {
  using Kind = S3Condition::Kind;
  // Two writers may write the same bytes, and only one of them may have won.
  const bool is_ours = written.write_id.empty()
                           ? found && written.etag == found->etag &&
                                 written.size_bytes.value_or(found->size_bytes) == found->size_bytes
                           : found && written.write_id == found->write_id;
  if (is_ours) return WriteOutcome::kDone;
  const bool holds = condition.kind == Kind::kNone || (condition.kind == Kind::kAbsent && !found) ||
                     (condition.kind == Kind::kETag && found && found->etag == condition.etag);
  return holds ? WriteOutcome::kNotDone : WriteOutcome::kConflict;
}

}  // namespace hangar
