#include "http/decoding_receiver.h"

#include <cstdint>
#include <string>
#include <utility>

#include <arrow/util/compression.h>

#include "base/error.h"

namespace hangar {
namespace {

constexpr size_t kBlockBytes = 256 << 10;

class DecodingReceiver final : public HttpBodyReceiver {
 public:
  DecodingReceiver(std::unique_ptr<arrow::util::Codec> codec,
                   std::shared_ptr<arrow::util::Decompressor> decompressor,
                   std::unique_ptr<HttpBodyReceiver> inner)
      : codec_(std::move(codec)),
        decompressor_(std::move(decompressor)),
        inner_(std::move(inner)),
        block_(kBlockBytes, '\0') {}

  arrow::Status Receive(std::string_view bytes) override {
    while (!bytes.empty()) {
      // What follows the end of one stream is another one: both formats may be concatenated.
      if (decompressor_->IsFinished()) ARROW_RETURN_NOT_OK(decompressor_->Reset());
      began_ = true;
      auto result = decompressor_->Decompress(
          static_cast<int64_t>(bytes.size()), reinterpret_cast<const uint8_t*>(bytes.data()),
          static_cast<int64_t>(block_.size()), reinterpret_cast<uint8_t*>(block_.data()));
      if (!result.ok() || (result->bytes_read == 0 && result->bytes_written == 0)) return Damaged();
      if (result->bytes_written > 0) {
        ARROW_RETURN_NOT_OK(inner_->Receive(
            std::string_view(block_).substr(0, static_cast<size_t>(result->bytes_written))));
      }
      bytes.remove_prefix(static_cast<size_t>(result->bytes_read));
      if (bytes.empty()) return Drain();
    }
    return arrow::Status::OK();
  }

  arrow::Result<HttpResponse> Finish() override {
    if (!began_ || !decompressor_->IsFinished()) return Damaged();
    return inner_->Finish();
  }

 private:
  static arrow::Status Damaged() {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the body is not what its Content-Encoding says, or it ends too soon; nothing "
                     "was stored");
  }

  // What the decompressor still holds of the input that it took: with a full block there may be
  // more.
  arrow::Status Drain() {
    while (!decompressor_->IsFinished()) {
      const auto result = decompressor_->Decompress(0, reinterpret_cast<const uint8_t*>(""),
                                                    static_cast<int64_t>(block_.size()),
                                                    reinterpret_cast<uint8_t*>(block_.data()));
      if (!result.ok() || result->bytes_written == 0) return arrow::Status::OK();
      ARROW_RETURN_NOT_OK(inner_->Receive(
          std::string_view(block_).substr(0, static_cast<size_t>(result->bytes_written))));
    }
    return arrow::Status::OK();
  }

  const std::unique_ptr<arrow::util::Codec> codec_;
  const std::shared_ptr<arrow::util::Decompressor> decompressor_;
  const std::unique_ptr<HttpBodyReceiver> inner_;
  std::string block_;
  bool began_ = false;
};

}  // namespace

arrow::Result<std::unique_ptr<HttpBodyReceiver>> DecodeBody(
    ContentCoding coding, std::unique_ptr<HttpBodyReceiver> inner) {
  ARROW_ASSIGN_OR_RAISE(auto codec, arrow::util::Codec::Create(coding == ContentCoding::kGzip
                                                                   ? arrow::Compression::GZIP
                                                                   : arrow::Compression::ZSTD));
  ARROW_ASSIGN_OR_RAISE(auto decompressor, codec->MakeDecompressor());
  return std::make_unique<DecodingReceiver>(std::move(codec), std::move(decompressor),
                                            std::move(inner));
}

}  // namespace hangar
