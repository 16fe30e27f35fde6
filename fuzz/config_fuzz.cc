// The server's settings: the input as a file of them, and as the value of each one.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <format>
#include <string>

#include "base/unique_descriptor.h"
#include "config/load.h"
#include "fuzz/require.h"

namespace hangar::fuzz {
namespace {

// A file in memory that has a path as others have.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text) : file_(memfd_create("settings", 0)) {
    Require(write(file_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()),
            "the file was written");
  }

  std::string path() const { return std::format("/proc/self/fd/{}", file_.get()); }

 private:
  const UniqueDescriptor file_;
};

void Try(const std::string& text) {
  const MemoryFile file(text);
  RequireInvalidArgument(LoadServeOptions({.file = file.path()}).status());
  for (const Setting& setting : ServeSettings()) {
    RequireInvalidArgument(
        LoadServeOptions({.flags = {{std::string(setting.name), {text}}}}).status());
  }
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hangar::fuzz::Try(std::string(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
