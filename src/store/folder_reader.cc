#include "store/folder_reader.h"

#include <cerrno>
#include <tuple>

namespace hangar {

OrErrno<FolderReader> FolderReader::Make(UniqueDescriptor folder) {
  DIR* const stream = ::fdopendir(folder.get());
  if (stream == nullptr) return std::unexpected(errno);
  std::ignore = folder.release();  // The stream owns it now.
  return FolderReader(stream);
}

OrErrno<std::optional<FolderReader::Entry>> FolderReader::Next() {
  for (;;) {
    errno = 0;  // readdir tells its end from an error only by errno.
    const dirent* const entry = ::readdir(stream_.get());
    if (entry == nullptr) {
      if (errno != 0) return std::unexpected(errno);
      return std::nullopt;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return Entry{name, entry->d_type};
  }
}

}  // namespace hangar
