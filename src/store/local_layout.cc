#include "store/local_layout.h"

#include <algorithm>
#include <cstdint>
#include <format>
#include <random>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kStagedIdDigits = 32;

}  // namespace

bool IsVisibleName(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && !name.starts_with(kHiddenFolder) &&
         IsValidUtf8(name);
}

arrow::Status CheckKey(std::string_view key) {
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view segment = key.substr(begin, end - begin);
    if (!IsVisibleName(segment) || segment.contains('\0')) {
      return Error(ErrorKind::kInvalidArgument, "{} is not a name that can be stored", Quoted(key));
    }
    begin = end + 1;
  }
  return arrow::Status::OK();
}

std::string NewStagedName() {
  std::random_device random;
  std::string name = ".";
  while (name.size() < 1 + kStagedIdDigits) {
    name += std::format("{:08x}", static_cast<uint32_t>(random()));
  }
  return name;
}

bool IsStagedName(std::string_view name) {
  return name.size() == 1 + kStagedIdDigits && name.starts_with('.') &&
         name.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

std::string_view FolderOf(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
}

std::string_view LeafOf(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

}  // namespace hangar
