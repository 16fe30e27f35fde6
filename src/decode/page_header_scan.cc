#include "decode/page_header_scan.h"

#include "decode/varint.h"

namespace hangar {
namespace {

// Fields of a page header.
constexpr int kUncompressedBytes = 2;
constexpr int kCompressedBytes = 3;
constexpr int kCrc = 4;

// Types of the compact protocol.
enum Type : int {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kDouble = 7,
  kBinary = 8,
  kStruct = 12,
};

// A page header has structs of structs of numbers and bytes.
constexpr int kLevelsMax = 8;

// Goes through a header from field to field.
class Scanner {
 public:
  explicit Scanner(std::string_view bytes)
      : data_(reinterpret_cast<const uint8_t*>(bytes.data())), end_(data_ + bytes.size()) {}

  // False: the bytes ended, or what they hold is malformed.
  bool ScanHeader(PageHeaderNumbers* numbers) {
    for (int field = 0;;) {
      int type = kStop;
      if (!NextField(&type, &field)) return false;
      if (type == kStop) return true;
      if (field > kCrc) {
        if (!Skip(type, 1)) return false;
        continue;
      }
      uint64_t value = 0;
      if (type != kInt32) return Malformed();
      if (!Varint(&value)) return false;
      if (value > UINT32_MAX) return Malformed();
      if (field == kUncompressedBytes) numbers->uncompressed_bytes = FromZigzag(value);
      if (field == kCompressedBytes) numbers->compressed_bytes = FromZigzag(value);
      if (field == kCrc) numbers->crc = static_cast<uint32_t>(FromZigzag(value));
    }
  }

  bool malformed() const { return malformed_; }

 private:
  bool Malformed() {
    malformed_ = true;
    return false;
  }

  bool Varint(uint64_t* value) {
    if (ReadVarint(&data_, end_, value)) return true;
    return data_ == end_ ? false : Malformed();
  }

  // The field's number goes up by what the byte's upper half says; zero stands for one that is
  // written in full, which a field more than fifteen behind the last one needs, and no page header
  // has such.
  bool NextField(int* type, int* field) {
    if (data_ == end_) return false;
    *type = *data_ & 0x0F;
    const int distance = *data_ >> 4;
    ++data_;
    *field += distance;
    return *type == kStop || distance > 0 ? true : Malformed();
  }

  bool SkipBytes(uint64_t count) {
    if (count > static_cast<uint64_t>(end_ - data_)) {
      data_ = end_;
      return false;
    }
    data_ += count;
    return true;
  }

  bool SkipStruct(int level) {
    if (level > kLevelsMax) return Malformed();
    for (int field = 0;;) {
      int type = kStop;
      if (!NextField(&type, &field)) return false;
      if (type == kStop) return true;
      if (!Skip(type, level + 1)) return false;
    }
  }

  // `level` is that of the struct, should the value be one.
  bool Skip(int type, int level) {
    uint64_t number = 0;
    switch (type) {
      case kTrue:
      case kFalse:
        return true;
      case kByte:
        return SkipBytes(1);
      case kInt16:
      case kInt32:
      case kInt64:
        return Varint(&number);
      case kDouble:
        return SkipBytes(sizeof(double));
      case kBinary:
        return Varint(&number) && SkipBytes(number);
      case kStruct:
        return SkipStruct(level);
      default:
        // Lists, sets and maps: page headers have none.
        return Malformed();
    }
  }

  const uint8_t* data_;
  const uint8_t* const end_;
  bool malformed_ = false;
};

}  // namespace

arrow::Result<std::optional<PageHeaderNumbers>> ScanPageHeader(std::string_view bytes) {
  PageHeaderNumbers numbers;
  Scanner scanner(bytes);
  if (scanner.ScanHeader(&numbers)) return numbers;
  if (scanner.malformed()) return arrow::Status::IOError("a page header is malformed");
  return std::nullopt;
}

}  // namespace hangar
