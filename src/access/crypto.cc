#include "access/crypto.h"

#include <sodium.h>

#include "base/error.h"

namespace hangar {
namespace {

static_assert(sizeof(Digest) == crypto_hash_sha256_BYTES);
static_assert(sizeof(Digest) == crypto_auth_hmacsha512256_BYTES);

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

std::optional<std::string> Decode(std::string_view text, int variant) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  size_t size = 0;
  const int failed =
      sodium_base642bin(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), /*ignore=*/nullptr, &size, /*b64_end=*/nullptr, variant);
  if (failed != 0) return std::nullopt;
  bytes.resize(size);
  return bytes;
}

}  // namespace

arrow::Status StartCrypto() {
  if (sodium_init() >= 0) return arrow::Status::OK();
  return MakeError(ErrorKind::kInternal, "the system gives no random numbers");
}

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

Digest Sha256(std::string_view bytes) {
  Digest digest;
  crypto_hash_sha256(digest.data(), Bytes(bytes), bytes.size());
  return digest;
}

std::string EncodeHex(const Digest& digest) {
  std::string text(digest.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  text.pop_back();
  return text;
}

std::optional<Digest> DecodeHex(std::string_view text) {
  Digest digest;
  size_t size = 0;
  const int failed = sodium_hex2bin(digest.data(), digest.size(), text.data(), text.size(),
                                    /*ignore=*/nullptr, &size, /*hex_end=*/nullptr);
  if (failed != 0 || size != digest.size()) return std::nullopt;
  return digest;
}

bool EqualInConstantTime(const Digest& a, const Digest& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string EncodeBase64Url(std::string_view bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), Bytes(bytes), bytes.size(), kVariant);
  text.pop_back();  // The NUL.
  return text;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  return Decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  return Decode(text, sodium_base64_VARIANT_ORIGINAL);
}

MacKey::MacKey() { randombytes_buf(key_.data(), key_.size()); }

MacKey::MacKey(std::string_view secret, std::string_view purpose) {
  std::array<uint8_t, crypto_kdf_hkdf_sha256_KEYBYTES> extracted;
  crypto_kdf_hkdf_sha256_extract(extracted.data(), /*salt=*/nullptr, 0, Bytes(secret),
                                 secret.size());
  crypto_kdf_hkdf_sha256_expand(key_.data(), key_.size(), purpose.data(), purpose.size(),
                                extracted.data());
  sodium_memzero(extracted.data(), extracted.size());
}

MacKey::~MacKey() { sodium_memzero(key_.data(), key_.size()); }

Digest MacKey::Tag(std::initializer_list<std::string_view> fields) const {
  crypto_auth_hmacsha512256_state state;
  crypto_auth_hmacsha512256_init(&state, key_.data(), key_.size());
  for (const std::string_view field : fields) {
    const uint64_t size = field.size();
    crypto_auth_hmacsha512256_update(&state, reinterpret_cast<const uint8_t*>(&size), sizeof(size));
    crypto_auth_hmacsha512256_update(&state, Bytes(field), field.size());
  }
  Digest tag;
  crypto_auth_hmacsha512256_final(&state, tag.data());
  return tag;
}

}  // namespace hangar
