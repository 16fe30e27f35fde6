#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <arrow/result.h>

namespace hangar {

/// The numbers at the beginning of a page's header.
struct PageHeaderNumbers {
  int64_t uncompressed_bytes = 0;
  int64_t compressed_bytes = 0;
  std::optional<uint32_t> crc;
};

/// Reads the header that `bytes` begin with; what follows it is not looked at. nullopt where the
/// header goes on behind their end.
///
/// A header is a struct of Thrift's compact protocol,
/// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md, with the
/// fields of PageHeader in
/// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift. IOError
/// where it is malformed, or its fields do not come in ascending order, as all writers give them:
/// so that no field has two values, of which another reader might take the other one.
arrow::Result<std::optional<PageHeaderNumbers>> ScanPageHeader(std::string_view bytes);

}  // namespace hangar
