#include "catalog/dataset_name.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kNameBytesMax = 1024;
constexpr size_t kSegmentBytesMax = 255;
constexpr int kSegmentsMax = 16;
constexpr std::string_view kReservedPrefix = "_hangar";

bool IsControl(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte < 0x20 || byte == 0x7F;
}

arrow::Status Invalid(std::string_view name, std::string_view rule) {
  return Error(ErrorKind::kInvalidArgument, "{} is not a dataset name: {}", Quoted(name), rule);
}

arrow::Status CheckSegment(std::string_view name, std::string_view segment) {
  if (segment.empty()) {
    return Invalid(name, "it has an empty segment; names have no '/' at either end or in a row");
  }
  if (segment.size() > kSegmentBytesMax) {
    return Invalid(name, "a segment is longer than 255 bytes");
  }
  if (segment == "." || segment == "..") {
    return Invalid(name, "'.' and '..' are not allowed; a name is a plain path under the root");
  }
  if (segment.starts_with('.')) return Invalid(name, "a segment begins with '.'");
  if (segment.starts_with(kReservedPrefix)) {
    return Invalid(name, "segments that begin with '_hangar' are reserved");
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<DatasetName> DatasetName::Parse(std::string_view name) {
  if (name.empty()) return Invalid(name, "it is empty");
  if (name.size() > kNameBytesMax) return Invalid(name, "it is longer than 1,024 bytes");
  if (!IsValidUtf8(name)) return Invalid(name, "it is not valid UTF-8");
  if (std::ranges::any_of(name, IsControl)) return Invalid(name, "it has a control character");
  // The C1 controls U+0080 to U+009F are C2 80 to C2 9F in UTF-8.
  for (size_t i = 0; i + 1 < name.size(); ++i) {
    if (static_cast<uint8_t>(name[i]) == 0xC2 && static_cast<uint8_t>(name[i + 1]) < 0xA0) {
      return Invalid(name, "it has a control character");
    }
  }
  if (name.contains('\\')) return Invalid(name, "it has a '\\'; segments are joined with '/'");
  int segments = 0;
  for (size_t begin = 0; begin <= name.size(); ++segments) {
    const size_t end = std::min(name.find('/', begin), name.size());
    ARROW_RETURN_NOT_OK(CheckSegment(name, name.substr(begin, end - begin)));
    begin = end + 1;
  }
  if (segments > kSegmentsMax) return Invalid(name, "it has more than 16 segments");
  return DatasetName(std::string(name));
}

}  // namespace hangar
