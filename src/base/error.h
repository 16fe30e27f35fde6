#pragma once

#include <format>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/status.h>

namespace hangar {

/// What kind of failure a caller met. Every error that may reach a client is made with one of
/// these, through `Error`; `flight/status_table.h` maps each kind to its protocol's code. A status
/// without a kind (a library's own) never reaches a client with its own words, see `KindOf`.
enum class ErrorKind {
  kInvalidArgument,     ///< The request is wrong, whatever the state of the store.
  kNotFound,            ///< The named dataset or version is not there.
  kAlreadyExists,       ///< Asked to create what is there already.
  kFailedPrecondition,  ///< The store's state does not allow it; changing the state would.
  kUnauthenticated,     ///< The caller showed nobody that the server knows; others may do it.
  kPermissionDenied,    ///< The caller, or the server's own user, may not do it.
  kResourceExhausted,   ///< No memory, quota or other means is left.
  kStorageFull,         ///< No disk space is left; to clients the same as kResourceExhausted.
  kUnavailable,         ///< Not now; the same request may work later.
  kUnimplemented,       ///< The server does not offer this.
  kCancelled,           ///< The caller went away or asked to stop.
  kDataLoss,            ///< Stored bytes are damaged or changed underneath a reader.
  kInternal,            ///< A defect or an unexpected failure; details are in the log only.
};

/// The kind's name as protocols spell it, for example "FAILED_PRECONDITION".
std::string_view ErrorKindName(ErrorKind kind);

/// A status of this kind. `sentence` is shown to clients: it says what was wrong with which input
/// and what to do, and holds no path of the server's disk and no library's internals.
arrow::Status MakeError(ErrorKind kind, std::string sentence);

/// `MakeError` with std::format's arguments.
template <typename... Args>
arrow::Status Error(ErrorKind kind, std::format_string<Args...> format, Args&&... args) {
  return MakeError(kind, std::format(format, std::forward<Args>(args)...));
}

/// The kind a failed status was made with. A status from a library answers kInternal, save that
/// Arrow's own OutOfMemory is kResourceExhausted and its Cancelled is kCancelled.
ErrorKind KindOf(const arrow::Status& status);

/// True for a status that was made by `Error` or `MakeError`: its message is fit for a client.
bool HasErrorKind(const arrow::Status& status);

}  // namespace hangar
