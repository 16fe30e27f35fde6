#include "sync/sync_names.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hangar::sync {
namespace {

constexpr size_t kSegmentsMax = 16;
constexpr size_t kSegmentBytesMax = 255;
constexpr size_t kPathBytesMax = 1024;

bool IsFolder(const std::string& side) { return side.starts_with('.') || side.starts_with('/'); }

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment.size() <= kSegmentBytesMax && !segment.starts_with('.') &&
         !segment.starts_with("_hangar") && std::ranges::none_of(segment, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7F || c == '\\';
         });
}

}  // namespace

arrow::Result<SyncSides> ParseSyncSides(const std::string& source, const std::string& target) {
  if (IsFolder(source) == IsFolder(target)) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} and {}: one has to be a folder, which begins with ./ or /, and the other the "
                 "beginning of names on the server",
                 Quoted(source), Quoted(target));
  }
  SyncSides sides;
  sides.direction = IsFolder(source) ? SyncDirection::kUp : SyncDirection::kDown;
  sides.folder = IsFolder(source) ? source : target;
  sides.prefix = IsFolder(source) ? target : source;
  if (sides.prefix.ends_with('/')) sides.prefix.pop_back();
  if (!sides.prefix.empty()) ARROW_RETURN_NOT_OK(CheckSyncPath(sides.prefix));
  return sides;
}

std::string DatasetAt(const std::string& prefix, const std::string& path) {
  return prefix.empty() ? path : prefix + "/" + path;
}

arrow::Status CheckSyncPath(std::string_view path) {
  size_t segments = 0;
  bool good = path.size() <= kPathBytesMax && IsValidUtf8(path);
  for (size_t start = 0; good && start <= path.size(); ++segments) {
    const size_t end = std::min(path.find('/', start), path.size());
    good = IsSegment(path.substr(start, end - start));
    start = end + 1;
  }
  if (good && segments <= kSegmentsMax) return arrow::Status::OK();
  return Error(ErrorKind::kInvalidArgument, "{} cannot be the name of a dataset", Quoted(path));
}

bool IsParquetName(std::string_view path) { return path.ends_with(".parquet"); }

}  // namespace hangar::sync
