// Runs one fuzzer's function on files, without libFuzzer: replay PATH..., each a file or a folder.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <arrow/memory_pool.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace {

// No input of a few kilobytes is worth more.
constexpr int64_t kPoolBytesMax = 256LL * 1024 * 1024;

std::vector<std::filesystem::path> FilesOf(int count, char** paths) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < count; ++i) {
    if (!std::filesystem::is_directory(paths[i])) {
      files.emplace_back(paths[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(paths[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  const auto files = FilesOf(argc, argv);
  for (const auto& path : files) {
    // Who aborts is the last one named.
    std::fprintf(stderr, "%s\n", path.c_str());
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    const int64_t peak_bytes = arrow::default_memory_pool()->max_memory();
    if (peak_bytes > kPoolBytesMax) {
      std::fprintf(stderr, "%lld bytes were taken for it\n", static_cast<long long>(peak_bytes));
      return 1;
    }
  }
  std::fprintf(stderr, "%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
