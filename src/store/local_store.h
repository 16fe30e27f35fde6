#pragma once

#include <memory>
#include <string>

#include <arrow/result.h>

#include "store/object_store.h"

namespace hangar {

class Metrics;

/// Objects as plain files: the object `a/b.parquet` is the file of that path under the root.
/// Staged objects grow in `ROOT/_hangar/staging`. Files that other tools put there are objects too.
///
/// A version is made of the file's inode, birth time, modification time and size, so it survives a
/// restart and a Rename, and changes when another tool replaces or rewrites the file. Names that
/// begin with '.' or `_hangar`, or are not UTF-8, are not seen; links are followed within the root
/// only (openat2, RESOLVE_BENEATH; absolute ones count as leading out), and deleting or replacing a
/// linked object changes the link.
/// Conditional changes are atomic between all processes that go through this class on one root;
/// two keys that are one file by way of a link count as two.
class LocalStore {
 public:
  /// Opens the folder, making it and its hidden folder when they are missing. Errors name the
  /// folder as given, as they are meant for whoever starts the server. `metrics`, if any, show what
  /// is staged, how full the disk is and how long it takes; they must outlive the store.
  static arrow::Result<std::shared_ptr<ObjectStore>> Make(const std::string& root,
                                                          Metrics* metrics = nullptr);
};

}  // namespace hangar
