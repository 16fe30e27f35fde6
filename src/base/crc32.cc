#include "base/crc32.h"

#include <arrow/util/crc32.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace hangar {
namespace {

uint32_t WithTables(uint32_t crc, const uint8_t* data, int64_t size) {
  return arrow::internal::crc32(crc, data, static_cast<size_t>(size));
}

#ifdef __x86_64__

constexpr int64_t kLaneBytes = 16;
constexpr int64_t kFoldBytes = 4 * kLaneBytes;

// x to the power of `n` modulo the polynomial, as a factor of reflected operands.
constexpr int64_t PowerOfX(int n) {
  uint32_t power = 0x80000000;
  for (int i = 0; i < n; ++i) power = power >> 1 ^ ((power & 1) != 0 ? 0xEDB88320 : 0);
  return static_cast<int64_t>(power) << 1;
}

__attribute__((target("pclmul,sse2"))) inline __m128i Fold(__m128i lane, __m128i factors,
                                                           __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(lane, factors, 0x00);
  const __m128i high = _mm_clmulepi64_si128(lane, factors, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse2"))) inline __m128i Load(const uint8_t* data) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
}

// Four lanes of 128 bits are moved along the bytes, each over the three others, as in Gopal et al.,
// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009). What
// they come to in the end has the checksum of all that they went over; the tables take it from
// there. `size` is at least kFoldBytes.
__attribute__((target("pclmul,sse2"))) uint32_t WithMultiplication(uint32_t crc,
                                                                   const uint8_t* data,
                                                                   int64_t size) {
  const __m128i over_four = _mm_set_epi64x(PowerOfX(4 * 128 - 32), PowerOfX(4 * 128 + 32));
  const __m128i over_one = _mm_set_epi64x(PowerOfX(128 - 32), PowerOfX(128 + 32));
  __m128i lanes[4];
  for (int i = 0; i < 4; ++i) lanes[i] = Load(data + i * kLaneBytes);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(~crc)));
  data += kFoldBytes;
  size -= kFoldBytes;
  for (; size >= kFoldBytes; size -= kFoldBytes, data += kFoldBytes) {
    for (int i = 0; i < 4; ++i) {
      lanes[i] = Fold(lanes[i], over_four, Load(data + i * kLaneBytes));
    }
  }
  __m128i lane = lanes[0];
  for (int i = 1; i < 4; ++i) lane = Fold(lane, over_one, lanes[i]);
  for (; size >= kLaneBytes; size -= kLaneBytes, data += kLaneBytes) {
    lane = Fold(lane, over_one, Load(data));
  }
  uint8_t rest[kLaneBytes];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), lane);
  // The start value went into the first lane; here it has to be zero, which the tables invert.
  return WithTables(WithTables(~uint32_t{0}, rest, kLaneBytes), data, size);
}

#endif

}  // namespace

uint32_t Crc32(uint32_t crc, const uint8_t* data, int64_t size) {
#ifdef __x86_64__
  static const bool can_multiply = __builtin_cpu_supports("pclmul") != 0;
  if (can_multiply && size >= kFoldBytes) return WithMultiplication(crc, data, size);
#endif
  return WithTables(crc, data, size);
}

}  // namespace hangar
