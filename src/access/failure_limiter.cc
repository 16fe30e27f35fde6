#include "access/failure_limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace hangar {
namespace {

constexpr size_t kTextBytesMax = 64;
constexpr size_t kNameBytesMax = 128;  // No user has a longer one.

std::string_view WithoutDecoration(std::string_view peer) {
  if (peer.starts_with("ipv4:") || peer.starts_with("ipv6:")) peer.remove_prefix(5);
  if (peer.starts_with('[')) {
    peer.remove_prefix(1);
    peer = peer.substr(0, peer.find(']'));
  }
  return peer.substr(0, peer.find('%'));  // The interface of a link-local address.
}

// As a part of keys: no source or name contains it.
std::string KeyOf(const std::string& source, const std::string& name) {
  return source + '\0' + name.substr(0, kNameBytesMax);
}

}  // namespace

std::string SourceOfPeer(std::string_view peer) {
  const std::string address(WithoutDecoration(peer));
  std::array<uint8_t, 16> bytes{};
  char text[INET6_ADDRSTRLEN];
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return address;
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) {
    return std::string(peer.substr(0, kTextBytesMax));
  }
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    return ::inet_ntop(AF_INET, bytes.data() + kMapped.size(), text, sizeof(text));
  }
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return std::string(::inet_ntop(AF_INET6, bytes.data(), text, sizeof(text))) + "/64";
}

FailureLimiter::Bucket& FailureLimiter::Filled(Buckets& buckets, const std::string& key,
                                               const Allowance& allowance, Time now) {
  Bucket& bucket = buckets.FindOrAdd(key, Bucket{.left = allowance.burst, .filled = now});
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  if (seconds > 0) {
    bucket.left = std::min(allowance.burst, bucket.left + seconds * allowance.per_second);
    bucket.filled = now;
  }
  return bucket;
}

bool FailureLimiter::MayTryPassword(const std::string& source, const std::string& name, Time now) {
  const MutexLock lock(mutex_);
  const std::string key = KeyOf(source, name);
  Bucket& of_source = Filled(sources_, source, kPerSource, now);
  // Of names that are not tried nothing is remembered: it would push out what is of others.
  if (of_source.left < 1 && names_.Find(key) == nullptr) return false;
  Bucket& of_name = Filled(names_, key, kPerName, now);
  if (of_name.left < 1 || (!of_name.was_right && of_source.left < 1)) return false;
  of_name.left -= 1;
  if (!of_name.was_right) of_source.left -= 1;
  return true;
}

void FailureLimiter::PasswordWasRight(const std::string& source, const std::string& name) {
  const MutexLock lock(mutex_);
  GiveBack(source, name, /*was_right=*/true);
}

void FailureLimiter::PasswordWasNotTried(const std::string& source, const std::string& name) {
  const MutexLock lock(mutex_);
  GiveBack(source, name, /*was_right=*/false);
}

void FailureLimiter::GiveBack(const std::string& source, const std::string& name, bool was_right) {
  Bucket* of_name = names_.Find(KeyOf(source, name));
  Bucket* of_source = sources_.Find(source);
  const bool took_of_source = of_name != nullptr && !of_name->was_right;
  if (of_source != nullptr && took_of_source) {
    of_source->left = std::min(kPerSource.burst, of_source->left + 1);
  }
  if (of_name == nullptr) return;
  of_name->left = std::min(kPerName.burst, of_name->left + 1);
  of_name->was_right |= was_right;
}

bool FailureLimiter::NoteWrongToken(const std::string& source, Time now) {
  const MutexLock lock(mutex_);
  Bucket& bucket = Filled(tokens_, source, kTokens, now);
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

}  // namespace hangar
