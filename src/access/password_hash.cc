#include "access/password_hash.h"

#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr unsigned kPasses = 3;
constexpr unsigned kMoreMax = 4;
constexpr size_t kBytesMin = 8;
constexpr size_t kBytesMax = 1024;

arrow::Status NoMemory() {
  return MakeError(ErrorKind::kResourceExhausted,
                   "there is no memory to check a password; try again later");
}

}  // namespace

arrow::Status CheckPassword(std::string_view password) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (password.size() < kBytesMin || password.size() > kBytesMax) {
    return Error(ErrorKind::kInvalidArgument, "a password has {} to {} bytes", kBytesMin,
                 kBytesMax);
  }
  if (!IsValidUtf8(password) || std::ranges::any_of(password, is_control)) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "a password is UTF-8 text without control characters");
  }
  return arrow::Status::OK();
}

arrow::Result<std::string> HashPassword(std::string_view password) {
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, password.data(), password.size(), kPasses,
                            static_cast<size_t>(kPasswordHashBytes),
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return NoMemory();
  }
  return std::string(hash);
}

arrow::Result<bool> PasswordMatches(std::string_view password, const std::string& hash) {
  // The library says EINVAL of a password that is wrong, and nothing of a lack of memory.
  errno = 0;
  if (crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0) return true;
  if (errno != EINVAL) return NoMemory();
  return false;
}

bool IsPasswordHash(const std::string& text) {
  unsigned kib = 0;
  unsigned passes = 0;
  int read = 0;
  if (text.size() >= crypto_pwhash_STRBYTES || text.find('\0') != std::string::npos) return false;
  const int fields =
      std::sscanf(text.c_str(), "$argon2id$v=19$m=%9u,t=%9u,p=1$%n", &kib, &passes, &read);
  if (fields != 2 || read == 0) return false;
  if (kib > kMoreMax * (kPasswordHashBytes >> 10) || passes > kMoreMax * kPasses) return false;
  // Answers -1 for a text that it cannot read.
  return crypto_pwhash_str_needs_rehash(text.c_str(), kPasses,
                                        static_cast<size_t>(kPasswordHashBytes)) >= 0;
}

}  // namespace hangar
