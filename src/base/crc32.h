#pragma once

#include <cstdint>

namespace hangar {

/// CRC-32 of gzip and of Parquet's pages (polynomial 0x04C11DB7, reflected), over bytes that follow
/// those whose checksum is `crc` (0 for the first ones). By carry-less multiplication where the
/// processor has it: four times as fast as tables, which are the most of what reading plain pages
/// costs.
uint32_t Crc32(uint32_t crc, const uint8_t* data, int64_t size);

}  // namespace hangar
