#include "base/file_error.h"

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace hangar {

arrow::Status FileError(std::string_view verb, const std::string& path, int number) {
  const ErrorKind kind = number == ENOENT                       ? ErrorKind::kNotFound
                         : number == EACCES                     ? ErrorKind::kPermissionDenied
                         : number == ENOSPC || number == EDQUOT ? ErrorKind::kResourceExhausted
                                                                : ErrorKind::kInvalidArgument;
  return Error(kind, "cannot {} {}: {}", verb, Quoted(path), std::strerror(number));
}

}  // namespace hangar
