#include "http/multipart_source.h"

#include <algorithm>
#include <cstring>
#include <format>
#include <random>
#include <utility>

namespace hangar {
namespace {

// Text and runs of a file's bytes, one after the other.
class PartsSource final : public HttpBodySource {
 public:
  struct Piece {
    std::string text;  // Else, where it is empty:
    ByteRange range;
  };

  PartsSource(std::shared_ptr<StoredFileReader> file, std::vector<Piece> pieces)
      : file_(std::move(file)), pieces_(std::move(pieces)) {
    for (const Piece& piece : pieces_) size_bytes_ += LengthOf(piece);
  }

  std::optional<int64_t> size_bytes() const override { return size_bytes_; }

  arrow::Result<int64_t> Read(int64_t length, char* out) override {
    while (piece_ < pieces_.size() && position_ == LengthOf(pieces_[piece_])) {
      ++piece_;
      position_ = 0;
    }
    if (piece_ == pieces_.size()) return 0;
    const Piece& piece = pieces_[piece_];
    length = std::min(length, LengthOf(piece) - position_);
    if (piece.text.empty()) {
      ARROW_RETURN_NOT_OK(file_->ReadAt(piece.range.offset + position_, length, out));
    } else {
      std::memcpy(out, piece.text.data() + position_, static_cast<size_t>(length));
    }
    position_ += length;
    return length;
  }

 private:
  static int64_t LengthOf(const Piece& piece) {
    return piece.text.empty() ? piece.range.length : static_cast<int64_t>(piece.text.size());
  }

  const std::shared_ptr<StoredFileReader> file_;
  const std::vector<Piece> pieces_;
  int64_t size_bytes_ = 0;
  size_t piece_ = 0;
  int64_t position_ = 0;  // In it.
};

// Random, so that no file holds it but by an accident that never happens.
std::string MakeBoundary() {
  std::random_device random;
  std::string boundary = "hangar-";
  for (int i = 0; i < 4; ++i) boundary += std::format("{:08x}", random());
  return boundary;
}

}  // namespace

MultipartBody MakeMultipart(std::shared_ptr<StoredFileReader> file,
                            const std::vector<ByteRange>& parts, const std::string& part_type) {
  const std::string boundary = MakeBoundary();
  std::vector<PartsSource::Piece> pieces;
  for (const ByteRange& part : parts) {
    pieces.push_back(
        {.text = std::format("\r\n--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n", boundary,
                             part_type, ContentRange(part, file->size_bytes())),
         .range = {}});
    pieces.push_back({.text = "", .range = part});
  }
  pieces.push_back({.text = std::format("\r\n--{}--\r\n", boundary), .range = {}});
  return {.content_type = "multipart/byteranges; boundary=" + boundary,
          .source = std::make_unique<PartsSource>(std::move(file), std::move(pieces))};
}

}  // namespace hangar
