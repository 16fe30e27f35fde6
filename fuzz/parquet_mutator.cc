// How libFuzzer changes Parquet files. Changed anywhere, most are no Parquet files any more: here
// the footer stays where the file's end says it is, and mostly the pages change.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t* bytes, size_t size, size_t max_size);

namespace {

constexpr size_t kMagicBytes = 4;
constexpr size_t kTrailerBytes = 8;
constexpr size_t kWindowBytesMax = 64;

size_t Pick(std::minstd_rand& random, size_t low, size_t high) {
  return std::uniform_int_distribution<size_t>(low, high)(random);
}

// Changes some bytes of [begin, end) in place.
void ChangeWithin(uint8_t* bytes, size_t begin, size_t end, std::minstd_rand& random) {
  if (begin >= end) return;
  const size_t at = Pick(random, begin, end - 1);
  const size_t length = Pick(random, 1, std::min(end - at, kWindowBytesMax));
  std::vector<uint8_t> window(bytes + at, bytes + at + length);
  const size_t changed = LLVMFuzzerMutate(window.data(), length, length);
  std::memcpy(bytes + at, window.data(), changed);
}

// Changes the footer, which may become longer or shorter, and writes down its length.
size_t ChangeFooter(uint8_t* bytes, size_t footer_begin, size_t size, size_t max_size) {
  const size_t length = size - kTrailerBytes - footer_begin;
  const size_t length_max = std::max(length, max_size - std::min(max_size, size - length));
  std::vector<uint8_t> footer(length_max);
  std::memcpy(footer.data(), bytes + footer_begin, length);
  const auto changed = static_cast<uint32_t>(LLVMFuzzerMutate(footer.data(), length, length_max));
  std::memcpy(bytes + footer_begin, footer.data(), changed);
  std::memcpy(bytes + footer_begin + changed, &changed, sizeof(changed));
  std::memcpy(bytes + footer_begin + changed + sizeof(changed), "PAR1", kMagicBytes);
  return footer_begin + changed + kTrailerBytes;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* bytes, size_t size, size_t max_size,
                                          unsigned int seed) {
  std::minstd_rand random(seed);
  uint32_t footer_length = 0;
  if (size >= kMagicBytes + kTrailerBytes) {
    std::memcpy(&footer_length, bytes + size - kTrailerBytes, sizeof(footer_length));
  }
  const bool is_file = footer_length > 0 && footer_length <= size - kMagicBytes - kTrailerBytes;
  const size_t choice = Pick(random, 0, 15);
  if (!is_file || choice == 0) return LLVMFuzzerMutate(bytes, size, max_size);
  const size_t footer_begin = size - kTrailerBytes - footer_length;
  if (choice < 4) return ChangeFooter(bytes, footer_begin, size, max_size);
  if (choice < 7) {
    ChangeWithin(bytes, footer_begin, size - kTrailerBytes, random);
  } else {
    ChangeWithin(bytes, kMagicBytes, footer_begin, random);
  }
  return size;
}
