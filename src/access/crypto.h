#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/status.h>

namespace hangar {

// The building blocks of what shows who somebody is, all from libsodium. Thread-safe.

/// Has to be called before anything else here; again is harmless. INTERNAL where the system has no
/// randomness.
arrow::Status StartCrypto();

/// `count` bytes that nobody can guess.
std::string RandomBytes(size_t count);

using Digest = std::array<uint8_t, 32>;

Digest Sha256(std::string_view bytes);

/// Lower-case hexadecimal digits.
std::string EncodeHex(const Digest& digest);
/// nullopt for anything but 64 hexadecimal digits.
std::optional<Digest> DecodeHex(std::string_view text);

/// Compares in a time that tells nothing of where they differ.
bool EqualInConstantTime(const Digest& a, const Digest& b);

/// RFC 4648's alphabet for URLs, without padding.
std::string EncodeBase64Url(std::string_view bytes);
/// nullopt for what EncodeBase64Url would not have written: padding, white space and unused bits
/// that are set are refused, so that no two texts mean the same bytes.
std::optional<std::string> DecodeBase64Url(std::string_view text);
/// The same with RFC 4648's first alphabet and padding, as "Basic" credentials have it.
std::optional<std::string> DecodeBase64(std::string_view text);

/// A key of 256 bits, forgotten with this object.
class MacKey {
 public:
  /// One that nobody else has.
  MacKey();
  /// The one that belongs to a secret and a purpose: HKDF with SHA-256 (RFC 5869), so that of two
  /// keys for different purposes neither tells anything of the other or of the secret.
  MacKey(std::string_view secret, std::string_view purpose);
  ~MacKey();
  MacKey(const MacKey&) = delete;
  MacKey& operator=(const MacKey&) = delete;

  /// HMAC-SHA-512-256 over the fields, each with its length before it, so that no two lists of
  /// fields are the same message.
  Digest Tag(std::initializer_list<std::string_view> fields) const;

 private:
  std::array<uint8_t, 32> key_;
};

}  // namespace hangar
