// Names of datasets.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/text.h"
#include "catalog/dataset_name.h"
#include "fuzz/require.h"

namespace hangar::fuzz {
namespace {

void Try(const std::string& text) {
  const auto name = DatasetName::Parse(text);
  RequireInvalidArgument(name.status());
  if (!name.ok()) return;
  Require(name->value() == text, "a name is what was given");
  Require(IsValidUtf8(text) && !text.contains('\0'), "a name is text");
  const std::filesystem::path path(text);
  Require(path.is_relative() && path.lexically_normal() == path, "a name stays below its folder");
  for (const auto& segment : path) {
    const std::string& part = segment.native();
    Require(!part.empty() && part.size() <= 255, "a segment is a file's name");
    Require(!part.starts_with('.') && !part.starts_with("_hangar"), "a name is nobody else's");
  }
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hangar::fuzz::Try(std::string(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
