#include "store/store_errors.h"

#include "base/error.h"
#include "base/text.h"

namespace hangar {

arrow::Status CheckPrecondition(const std::string& key, const Precondition& precondition,
                                const ObjectInfo* current) {
  switch (precondition.kind) {
    case Precondition::Kind::kNone:
      break;
    case Precondition::Kind::kAbsent:
      if (current == nullptr) break;
      return Error(ErrorKind::kAlreadyExists, "{} exists already", Quoted(key));
    case Precondition::Kind::kVersion:
      if (current == nullptr) {
        return Error(ErrorKind::kFailedPrecondition,
                     "there is no dataset {}, and its version {} was asked for", Quoted(key),
                     Quoted(precondition.version));
      }
      if (current->version == precondition.version) break;
      return Error(ErrorKind::kFailedPrecondition,
                   "{} has changed: its version is '{}', and {} was asked for", Quoted(key),
                   current->version, Quoted(precondition.version));
  }
  return arrow::Status::OK();
}

arrow::Status NoSuchObject(const std::string& key) {
  return Error(ErrorKind::kNotFound, "there is no dataset {}", Quoted(key));
}

arrow::Status NotRetired(const std::string& key, const std::string& version) {
  return Error(ErrorKind::kNotFound,
               "version {} of {} is gone: the dataset changed and what it was is not kept any "
               "more; ask for it again",
               Quoted(version), Quoted(key));
}

arrow::Status CheckRange(const ObjectInfo& info, int64_t offset, int64_t length) {
  if (offset >= 0 && length >= 0 && length <= info.size_bytes - offset) return arrow::Status::OK();
  return Error(ErrorKind::kInvalidArgument,
               "{} bytes at offset {} were asked for, and the object has {} bytes", length, offset,
               info.size_bytes);
}

arrow::Status UsedOutOfOrder(std::string_view used) {
  return Error(ErrorKind::kInternal, "a staged object was {}", used);
}

}  // namespace hangar
