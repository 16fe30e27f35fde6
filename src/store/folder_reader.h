#pragma once

#include <dirent.h>

#include <memory>
#include <optional>
#include <string_view>

#include "store/file_descriptor.h"

namespace hangar {

/// Reads the entries of an open folder, in whatever order the file system has them.
class FolderReader {
 public:
  struct Entry {
    std::string_view name;  ///< Until the next call; a NUL follows it.
    unsigned char type;     ///< d_type of readdir(3): DT_REG, DT_DIR, DT_LNK, DT_UNKNOWN...
  };

  static OrErrno<FolderReader> Make(UniqueDescriptor folder);

  /// The next entry, save "." and ".."; nullopt at the end.
  OrErrno<std::optional<Entry>> Next();
  void Rewind() { ::rewinddir(stream_.get()); }
  int folder() const { return ::dirfd(stream_.get()); }

 private:
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  explicit FolderReader(DIR* stream) : stream_(stream) {}

  std::unique_ptr<DIR, Close> stream_;
};

}  // namespace hangar
