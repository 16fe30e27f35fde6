#include "access/account_name.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kNameBytesMax = 128;

bool IsAllowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-@+").contains(c);
}

}  // namespace

arrow::Status CheckAccountName(std::string_view name) {
  if (!name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, IsAllowed)) {
    return arrow::Status::OK();
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} cannot be a name: names are 1 to {} letters, digits and ._-@+", Quoted(name),
               kNameBytesMax);
}

}  // namespace hangar
