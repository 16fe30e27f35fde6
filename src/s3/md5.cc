#include "s3/md5.h"

#include <charconv>
#include <cstddef>
#include <format>

#include <openssl/evp.h>

namespace hangar {

Md5 Md5Of(std::string_view bytes) {
  Md5 digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_md5(), nullptr);
  return digest;
}

std::string Base64(const Md5& digest) {
  std::array<unsigned char, 25> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {text.begin(), text.begin() + length};
}

std::string Hexadecimal(const Md5& digest) {
  std::string text;
  for (const uint8_t byte : digest) text += std::format("{:02x}", byte);
  return text;
}

std::optional<std::string> MultipartETag(const std::vector<S3Part>& parts) {
  std::string digests;
  for (const S3Part& part : parts) {
    if (part.etag.size() != 2 * Md5().size()) return std::nullopt;
    for (size_t i = 0; i < part.etag.size(); i += 2) {
      uint8_t byte = 0;
      const char* const digit = part.etag.data() + i;
      const auto [end, error] = std::from_chars(digit, digit + 2, byte, 16);
      if (error != std::errc() || end != digit + 2) return std::nullopt;
      digests += static_cast<char>(byte);
    }
  }
  return Hexadecimal(Md5Of(digests)) + "-" + std::to_string(parts.size());
}

}  // namespace hangar
