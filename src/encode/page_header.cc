#include "encode/page_header.h"

namespace hangar {
namespace {

// Types and the stop byte of the compact protocol.
constexpr uint8_t kI32 = 5;
constexpr uint8_t kStruct = 12;
constexpr char kStop = 0;

class CompactStruct {
 public:
  void I32(int field, int32_t value) {
    Field(field, kI32);
    // Zigzag, then a varint.
    auto rest = (static_cast<uint32_t>(value) << 1) ^ static_cast<uint32_t>(value >> 31);
    while (rest >= 0x80) {
      bytes_.push_back(static_cast<char>(rest | 0x80));
      rest >>= 7;
    }
    bytes_.push_back(static_cast<char>(rest));
  }

  void Struct(int field, std::string bytes) {
    Field(field, kStruct);
    bytes_ += bytes;
  }

  std::string Finish() { return std::move(bytes_) + kStop; }

 private:
  // Fields come in ascending order, no two of them more than 15 apart.
  void Field(int field, uint8_t type) {
    bytes_.push_back(static_cast<char>((field - last_field_) << 4 | type));
    last_field_ = field;
  }

  std::string bytes_;
  int last_field_ = 0;
};

// Enum PageType, and Encoding.RLE.
constexpr int32_t kDataPage = 0;
constexpr int32_t kDictionaryPage = 2;
constexpr int32_t kRle = 3;

}  // namespace

std::string SerializePageHeader(const PageHeader& header) {
  // Arrow's values are those of the Thrift enum.
  const auto encoding = static_cast<int32_t>(header.encoding);
  CompactStruct inner;
  inner.I32(1, header.values);
  inner.I32(2, encoding);
  if (!header.is_dictionary) {
    inner.I32(3, kRle);
    inner.I32(4, kRle);
  }
  CompactStruct page;
  page.I32(1, header.is_dictionary ? kDictionaryPage : kDataPage);
  page.I32(2, header.uncompressed_bytes);
  page.I32(3, header.compressed_bytes);
  page.I32(4, static_cast<int32_t>(header.crc32));
  page.Struct(header.is_dictionary ? 7 : 5, inner.Finish());
  return page.Finish();
}

}  // namespace hangar
