#pragma once

#include <cstdint>
#include <string>

#include <parquet/types.h>

namespace hangar {

/// What stands before a page. Sizes are in bytes, without the header's own.
struct PageHeader {
  bool is_dictionary = false;  ///< Else a data page of version 1, whose levels are hybrids.
  int32_t uncompressed_bytes = 0;
  int32_t compressed_bytes = 0;
  uint32_t crc32 = 0;  ///< Of the compressed bytes.
  int32_t values = 0;  ///< Nulls and empty lists count.
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;
};

/// The header as the file holds it: Thrift's compact protocol
/// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md) of the
/// struct PageHeader in parquet.thrift.
std::string SerializePageHeader(const PageHeader& header);

}  // namespace hangar
