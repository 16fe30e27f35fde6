#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/status.h>

#include "base/clock.h"
#include "store/object_store.h"

namespace hangar {

// Every name that a LocalStore makes or understands on disk, in one place:
//
//   ROOT/a/b.parquet            the object `a/b.parquet`
//   ROOT/_hangar/lock           a byte of it is locked while a key is changed (key_locks.h)
//   ROOT/_hangar/staging/.ID    an object that is being written, ID = 32 hexadecimal digits
//   ROOT/_hangar/history/a/b.parquet/.WHEN-HOW-HELD    a version that `a/b.parquet` had
//
// Staged and retired names begin with a dot so that they are not keys, whichever way one gets to
// the folder.

inline constexpr char kHiddenFolder[] = "_hangar";
inline constexpr char kLockFile[] = "lock";
inline constexpr char kStagingFolder[] = "staging";
inline constexpr char kHistoryFolder[] = "history";

/// The limits of dataset names; what lies deeper on disk is not listed.
inline constexpr size_t kKeySegmentsMax = 16;
inline constexpr size_t kKeyBytesMax = 1024;

/// False for the names of files and folders that are never objects nor hold any.
bool IsVisibleName(std::string_view name);

/// INVALID_ARGUMENT for a key whose path would not be that of a visible file below the root. Keys
/// come in valid; this keeps a caller's mistake from reaching the staging folder.
arrow::Status CheckKey(std::string_view key);

/// A new name that nothing has, from 128 random bits.
std::string NewStagedName();
bool IsStagedName(std::string_view name);

/// What the name of a retired file says. Its version is not part of it: that is of the file itself,
/// also after the whole folder was copied elsewhere.
struct RetiredName {
  Timestamp retired{};
  RetiredBy by = RetiredBy::kReplaced;
  Timestamp held_until{};
};
/// Names sort by the time of retirement.
std::string FormatRetiredName(const RetiredName& name);
std::optional<RetiredName> ParseRetiredName(std::string_view name);

/// The path below the root of what is retired from `key`: a folder with a file for each version.
std::string HistoryFolderOf(std::string_view key);

/// "a/b" of "a/b/c"; "" of "c".
std::string_view FolderOf(std::string_view key);
/// "c" of "a/b/c" and of "c".
std::string_view LeafOf(std::string_view key);

}  // namespace hangar
