#pragma once

#include <string_view>

#include <arrow/status.h>

namespace hangar {

/// What was being done when a system call failed.
enum class Attempt { kRead, kList, kWrite, kMakeDurable, kPublish, kDelete, kRename };

/// The error for a client: a kind and a sentence made of the attempt, its subject ("'a/b'", "the
/// upload") and what `error`, an errno, means for it. It never holds a path of the disk.
arrow::Status LocalError(int error, Attempt attempt, std::string_view subject);

/// True for what a walk meets in folders that others change or close to the server: it goes on
/// without the entry. Other errors end the walk, so that a listing never ends early unnoticed.
bool IsPassedOver(int error);

}  // namespace hangar
