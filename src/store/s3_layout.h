#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/object_store.h"

namespace hangar {

// Where everything stands in a bucket, below the location's prefix:
//
//     sales/eu.parquet                                        a dataset: its own name
//     _hangar/staging/ID                                      an upload that is not published
//     _hangar/history/sales/eu.parquet RETIRED-BY-MODIFIED-VERSION     what was replaced or dropped
//     _hangar/history/sales/eu.parquet held-UNTIL-VERSION     somebody wants it kept so long; empty
//     _hangar/history/sales/eu.parquet moved-RETIRED-VERSION  it lives on under another name; empty
//
// Times are nanoseconds since the Unix epoch, in 19 digits, so that names sort by them. A store has
// no rename, so what changes about an entry is told by another, empty object beside it.

inline constexpr std::string_view kS3Staging = "_hangar/staging/";
inline constexpr std::string_view kS3History = "_hangar/history/";

/// What stands at the key of a dataset that is being dropped. A deletion cannot decide between two
/// changes of one version, as some stores (radosgw 20.2) compare before it and not within it; a
/// write can. So this is written under the condition, and then deleted; where that does not
/// happen it stays, counts as nothing, and is swept. Known by its ETag, in listings too.
inline constexpr std::string_view kS3Tombstone = "dropped by hangar\n";
inline constexpr std::string_view kS3TombstoneETag =
    "21c73a4800f500048fbe59fade1f9508";  // Its MD5.

/// The longest name of an object that S3 takes, in bytes.
inline constexpr size_t kS3KeyBytesMax = 1024;

/// Whether an object is a dataset's: none of its segments is hidden, and it is no folder's marker.
bool IsS3Dataset(std::string_view key);

/// The key for names beside others, so that what follows it stands apart and all sort as the keys
/// do: ' ' becomes "!a" and '!' "!b", and ' ' ends it.
std::string S3HistoryFolderOf(std::string_view key);
/// The key of a name that begins as S3HistoryFolderOf gives, after kS3History; nullopt for others.
std::optional<std::string> KeyOfS3HistoryFolder(std::string_view folder);
/// `text` with S3HistoryFolderOf's escapes, for prefixes.
std::string EscapeForS3History(std::string_view text);

/// What a name in a history folder says.
struct S3HistoryName {
  enum class Kind { kEntry, kHeld, kMoved };
  Kind kind = Kind::kEntry;
  Timestamp time{};                     ///< When it was retired; for kHeld, until when.
  RetiredBy by = RetiredBy::kReplaced;  ///< Of kEntry.
  Timestamp modified{};                 ///< Of kEntry.
  std::string version;

  std::string ToString() const;
};

/// nullopt for a name that is none.
std::optional<S3HistoryName> ParseS3HistoryName(std::string_view name);

/// How many bytes the part of that index, from 0, of every upload has, its last one excepted. It
/// grows, so that an object of 5 TiB has fewer than the 10,000 parts that there may be, and is the
/// same for all uploads, so that a copy of the same parts has the same ETag.
int64_t S3PartBytes(int index);

}  // namespace hangar
