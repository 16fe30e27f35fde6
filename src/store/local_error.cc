#include "store/local_error.h"

#include <cerrno>
#include <cstring>
#include <format>
#include <string>

#include "base/error.h"

namespace hangar {
namespace {

std::string_view Verb(Attempt attempt) {
  switch (attempt) {
    case Attempt::kRead:
      return "read";
    case Attempt::kList:
      return "list";
    case Attempt::kWrite:
      return "write";
    case Attempt::kMakeDurable:
      return "make durable";
    case Attempt::kPublish:
      return "publish";
    case Attempt::kDelete:
      return "delete";
    case Attempt::kRename:
      return "rename";
  }
  return "change";
}

}  // namespace

arrow::Status LocalError(int error, Attempt attempt, std::string_view subject) {
  const std::string failed = std::format("cannot {} {}: ", Verb(attempt), subject);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Error(ErrorKind::kNotFound, "{}it is not there", failed);
    case ENOSPC:
      return Error(ErrorKind::kStorageFull, "{}the data folder's disk is full", failed);
    case EDQUOT:
      return Error(ErrorKind::kStorageFull,
                   "{}the data folder's disk is full for the server's user (disk quota)", failed);
    case EFBIG:
      return Error(ErrorKind::kResourceExhausted,
                   "{}it is larger than the data folder's file system or the server's limit on "
                   "file sizes allows",
                   failed);
    case EMFILE:
    case ENFILE:
      return Error(ErrorKind::kResourceExhausted, "{}the server has too many files open", failed);
    case ENOMEM:
      return Error(ErrorKind::kResourceExhausted, "{}the server is out of memory", failed);
    case EACCES:
    case EPERM:
      return Error(ErrorKind::kPermissionDenied,
                   "{}the data folder's permissions do not allow it to the server", failed);
    case EROFS:
      return Error(ErrorKind::kPermissionDenied, "{}the data folder is read-only", failed);
    case ENOLCK:
      return Error(ErrorKind::kUnavailable, "{}the file system has no lock left; try again",
                   failed);
    case ENAMETOOLONG:
      return Error(ErrorKind::kInvalidArgument,
                   "{}its name is longer than the data folder's file system allows", failed);
    case EIO:
      return Error(attempt == Attempt::kRead ? ErrorKind::kDataLoss : ErrorKind::kInternal,
                   "{}the disk reports an error", failed);
    default:
      return Error(ErrorKind::kInternal, "{}the file system answers {}", failed,
                   strerrorname_np(error) ? strerrorname_np(error) : "an unknown error");
  }
}

bool IsPassedOver(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case EACCES:
    case EPERM:
    case ENAMETOOLONG:
      return true;
    default:
      return false;
  }
}

}  // namespace hangar
