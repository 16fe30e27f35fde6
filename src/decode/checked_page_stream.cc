#include "decode/checked_page_stream.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include "base/crc32.h"
#include "decode/varint.h"

namespace hangar {
namespace {

struct PageChecksum {
  int64_t page_bytes = 0;
  uint32_t crc = 0;
};

// The fields of a page header that are looked at, and how Thrift's compact protocol marks their
// type. https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
constexpr int kCompressedPageSize = 3;
constexpr int kCrc = 4;
constexpr int kInt32 = 5;

// The checksum that a page header holds, if it holds one: a field of four at its beginning, all of
// them numbers. What is malformed is for PageReader to find.
std::optional<PageChecksum> FindChecksum(std::string_view header) {
  const auto* data = reinterpret_cast<const uint8_t*>(header.data());
  const uint8_t* const end = data + header.size();
  PageChecksum checksum;
  for (int field = 0; data != end;) {
    // The type, below how far this field's number is from that of the one before it.
    const int type = *data & 0x0F;
    const int distance = *data >> 4;
    ++data;
    field += distance;
    uint64_t value = 0;
    if (distance == 0 || field > kCrc || type != kInt32 || !ReadVarint(&data, end, &value)) {
      return std::nullopt;
    }
    if (field == kCompressedPageSize) checksum.page_bytes = FromZigzag(value);
    if (field == kCrc) {
      checksum.crc = static_cast<uint32_t>(FromZigzag(value));
      return checksum;
    }
  }
  return std::nullopt;
}

// PageReader peeks at a header, advances over it, and reads the page or advances over it as well:
// of the two reads behind a peek, which is what advancing comes to, the second one is the page.
class CheckedPageStream final : public arrow::io::InputStream {
 public:
  explicit CheckedPageStream(std::shared_ptr<arrow::io::InputStream> chunk)
      : chunk_(std::move(chunk)) {}

  arrow::Status Close() override { return chunk_->Close(); }
  bool closed() const override { return chunk_->closed(); }
  arrow::Result<int64_t> Tell() const override { return chunk_->Tell(); }

  arrow::Result<std::string_view> Peek(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(const std::string_view header, chunk_->Peek(bytes));
    expected_ = FindChecksum(header);
    in_header_ = true;
    return header;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto page, chunk_->Read(bytes));
    ARROW_RETURN_NOT_OK(Check(page->data(), page->size()));
    return page;
  }

  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, chunk_->Read(bytes, out));
    ARROW_RETURN_NOT_OK(Check(static_cast<const uint8_t*>(out), read));
    return read;
  }

 private:
  arrow::Status Check(const uint8_t* page, int64_t bytes) {
    if (std::exchange(in_header_, false) || !expected_) return arrow::Status::OK();
    if (bytes != expected_->page_bytes || Crc32(0, page, bytes) != expected_->crc) {
      return arrow::Status::IOError("a page does not have the checksum in its header");
    }
    expected_.reset();
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::io::InputStream> chunk_;
  std::optional<PageChecksum> expected_;  // Of the page whose header was peeked at last.
  bool in_header_ = false;                // The next read is of that header.
};

}  // namespace

std::unique_ptr<arrow::io::InputStream> CheckPages(std::shared_ptr<arrow::io::InputStream> chunk) {
  return std::make_unique<CheckedPageStream>(std::move(chunk));
}

}  // namespace hangar
