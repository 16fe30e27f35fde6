#include "access/session_tokens.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "access/password_check.h"
#include "access/watched_file.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kTimeBytes = sizeof(int64_t);
constexpr size_t kSecretBytesMin = 32;  // As many as the key has that is made of it.
constexpr std::string_view kPurpose = "hangar session tokens";

std::string EncodeTime(Timestamp time) {
  const int64_t nanoseconds = time.time_since_epoch().count();
  std::string bytes(kTimeBytes, '\0');
  std::memcpy(bytes.data(), &nanoseconds, kTimeBytes);
  return bytes;
}

Timestamp DecodeTime(std::string_view bytes) {
  int64_t nanoseconds;
  std::memcpy(&nanoseconds, bytes.data(), kTimeBytes);
  return Timestamp(std::chrono::nanoseconds(nanoseconds));
}

arrow::Status Wrong(std::string why) {
  return MakeError(ErrorKind::kUnauthenticated, std::move(why));
}

}  // namespace

SessionTokens::SessionTokens(std::chrono::seconds lifetime, std::string_view secret)
    : lifetime_(lifetime), key_(secret, kPurpose) {}

// End, MAC, name.
std::string SessionTokens::Issue(const std::string& name, const UserRecord& user,
                                 Timestamp now) const {
  std::string bytes = EncodeTime(now + lifetime_);
  const Digest tag = key_.Tag({bytes, name, user.password_hash});
  bytes.append(reinterpret_cast<const char*>(tag.data()), tag.size());
  bytes += name;
  return std::string(kSessionPrefix) + EncodeBase64Url(bytes);
}

arrow::Result<std::shared_ptr<const Identity>> SessionTokens::Check(std::string_view token,
                                                                    const Users& users,
                                                                    Timestamp now) const {
  token.remove_prefix(std::min(token.size(), kSessionPrefix.size()));
  const auto bytes = DecodeBase64Url(token);
  Digest tag;
  if (!bytes || bytes->size() < kTimeBytes + tag.size()) return Wrong("the session is malformed");
  const std::string_view end = std::string_view(*bytes).substr(0, kTimeBytes);
  std::memcpy(tag.data(), bytes->data() + kTimeBytes, tag.size());
  const std::string name = bytes->substr(kTimeBytes + tag.size());
  const auto user = users.find(name);
  const std::string_view hash =
      user == users.end() ? std::string_view() : user->second.password_hash;
  if (!EqualInConstantTime(tag, key_.Tag({end, name, hash})) || user == users.end()) {
    return Wrong("the session was not issued here, or to a user who is no longer the same");
  }
  if (DecodeTime(end) <= now) return Wrong("the session has expired");
  return IdentityOfUser(name, user->second);
}

arrow::Result<std::string> ReadSessionSecret(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string secret, WatchedFile(path).Read());
  if (secret.size() < kSecretBytesMin) {
    return Error(ErrorKind::kInvalidArgument,
                 "the session key in {} has {} bytes; it takes {} or more that nobody can guess, "
                 "such as 'openssl rand -hex 32' gives",
                 Quoted(path), secret.size(), kSecretBytesMin);
  }
  return secret;
}

}  // namespace hangar
