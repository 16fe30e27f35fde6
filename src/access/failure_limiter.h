#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "access/lru_map.h"
#include "base/mutex.h"

namespace hangar {

/// Where attempts come from: the address itself of IPv4 (also when it is written as IPv6), the
/// first 64 bits of IPv6, which is what one customer of a provider has to choose from, or the text,
/// cut to 64 bytes, of anything else. Brackets and "ipv4:" or "ipv6:" before the address do not
/// matter.
std::string SourceOfPeer(std::string_view peer);

/// Slows those who fail to show who they are, by source. Thread-safe, of bounded memory.
///
/// Only passwords can be found by trying, so only they are refused untried:
///   - Each (source, user name) may fail 10 times at once, then once in 10 s.
///   - Each source may fail 100 times at once over all names, then once a second. That holds for
///     names which were never right from that source: whoever was keeps the allowance above, so
///     that somebody who tries names from behind the same address cannot lock them out. Who comes
///     to such an address for the first time while it is abused may have to wait; tokens, sessions,
///     certificates and passwords that were right a moment ago are never asked here.
/// Tokens and signatures have 256 bits: one that is right is let in whatever happened before. The
/// failures are counted all the same (100 at once, then 10 a second), and beyond that are told to
/// wait, which keeps a client with an old token from trying without a pause.
class FailureLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How many sources, and how many of their names, are remembered.
  static constexpr size_t kKeysMax = 16'384;

  /// Whether a password may be tried now; if so, that counts as a failure until PasswordWasRight or
  /// PasswordWasNotTried.
  bool MayTryPassword(const std::string& source, const std::string& name, Time now);
  void PasswordWasRight(const std::string& source, const std::string& name);
  void PasswordWasNotTried(const std::string& source, const std::string& name);

  /// Counts a token that was wrong; false when there were too many.
  bool NoteWrongToken(const std::string& source, Time now);

 private:
  struct Allowance {
    double burst = 0;
    double per_second = 0;
  };
  struct Bucket {
    double left = 0;
    Time filled;
    bool was_right = false;
  };
  using Buckets = LruMap<std::string, Bucket>;

  // The bucket of the key with what it has at this time.
  static Bucket& Filled(Buckets& buckets, const std::string& key, const Allowance& allowance,
                        Time now);
  void GiveBack(const std::string& source, const std::string& name, bool was_right)
      HANGAR_REQUIRES(mutex_);

  static constexpr Allowance kPerName{.burst = 10, .per_second = 0.1};
  static constexpr Allowance kPerSource{.burst = 100, .per_second = 1};
  static constexpr Allowance kTokens{.burst = 100, .per_second = 10};

  Mutex mutex_;
  Buckets names_ HANGAR_GUARDED_BY(mutex_){kKeysMax};
  Buckets sources_ HANGAR_GUARDED_BY(mutex_){kKeysMax};
  Buckets tokens_ HANGAR_GUARDED_BY(mutex_){kKeysMax};
};

}  // namespace hangar
