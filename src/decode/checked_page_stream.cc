#include "decode/checked_page_stream.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <parquet/metadata.h>
#include <parquet/types.h>

#include "base/crc32.h"
#include "decode/page_header_scan.h"

namespace hangar {
namespace {

// A page up to this size is let be, as what its claim can cost is little: it is the size at which
// writers end pages by default, and old ones wrote wrong sizes into footers.
constexpr int64_t kOrdinaryPageBytes = 1024 * 1024;
// For brotli, whose format sets no bound: the footer alone does.
constexpr int64_t kNoRatio = INT64_MAX;

// How many bytes a codec can make of one at most, by what its format can say in the fewest bytes.
int64_t GreatestRatio(parquet::Compression::type codec) {
  switch (codec) {
    case parquet::Compression::SNAPPY:
      return 22;  // A copy of 64 bytes takes three: google/snappy's format_description.txt.
    case parquet::Compression::LZ4:
    case parquet::Compression::LZ4_FRAME:
    case parquet::Compression::LZ4_HADOOP:
      return 255;  // What a byte adds to a length: lz4's lz4_Block_format.md.
    case parquet::Compression::GZIP:
      return 1032;  // A match of 258 bytes takes two bits: RFC 1951.
    case parquet::Compression::ZSTD:
      return 32 * 1024;  // A block of 128 KiB takes four bytes: RFC 8878, 3.1.1.2.
    default:
      return kNoRatio;
  }
}

// The most bytes that a page of this chunk can claim to have once decompressed.
struct PageBounds {
  int64_t ratio = 1;
  int64_t bytes = 0;

  bool Allow(const PageHeaderNumbers& page) const {
    if (page.uncompressed_bytes <= kOrdinaryPageBytes) return true;
    // What a codec puts around its contents is little beside an ordinary page.
    return page.uncompressed_bytes <= bytes &&
           page.uncompressed_bytes / ratio <= page.compressed_bytes;
  }
};

// PageReader peeks at a header, advances over it, and reads the page or advances over it as well:
// of the two reads behind a peek, which is what advancing comes to, the second one is the page.
class CheckedPageStream final : public arrow::io::InputStream {
 public:
  CheckedPageStream(std::shared_ptr<arrow::io::InputStream> chunk, PageBounds bounds)
      : chunk_(std::move(chunk)), bounds_(bounds) {}

  arrow::Status Close() override { return chunk_->Close(); }
  bool closed() const override { return chunk_->closed(); }
  arrow::Result<int64_t> Tell() const override { return chunk_->Tell(); }

  arrow::Result<std::string_view> Peek(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(const std::string_view header, chunk_->Peek(bytes));
    // A header that is not whole cannot be read by PageReader either, which peeks further then.
    ARROW_ASSIGN_OR_RAISE(page_, ScanPageHeader(header));
    if (page_ && !bounds_.Allow(*page_)) {
      return arrow::Status::IOError(
          "a page claims more bytes than it can have: ", page_->uncompressed_bytes, " of ",
          page_->compressed_bytes, " compressed ones");
    }
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
    if (std::exchange(in_header_, false) || !page_ || !page_->crc) return arrow::Status::OK();
    if (bytes != page_->compressed_bytes || Crc32(0, page, bytes) != *page_->crc) {
      return arrow::Status::IOError("a page does not have the checksum in its header");
    }
    page_.reset();
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::io::InputStream> chunk_;
  const PageBounds bounds_;
  std::optional<PageHeaderNumbers> page_;  // Whose header was peeked at last.
  bool in_header_ = false;                 // The next read is of that header.
};

}  // namespace

std::unique_ptr<arrow::io::InputStream> CheckPages(std::shared_ptr<arrow::io::InputStream> chunk,
                                                   const parquet::ColumnChunkMetaData& metadata) {
  PageBounds bounds{.ratio = GreatestRatio(metadata.compression()),
                    .bytes = metadata.total_uncompressed_size()};
  // Nothing is made room for then.
  if (metadata.compression() == parquet::Compression::UNCOMPRESSED) bounds.bytes = INT64_MAX;
  return std::make_unique<CheckedPageStream>(std::move(chunk), bounds);
}

}  // namespace hangar
