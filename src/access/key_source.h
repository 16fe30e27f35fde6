#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/jwk_set.h"
#include "base/log.h"

namespace hangar {

/// Where the keys of an identity provider come from. Thread-safe.
class KeySource {
 public:
  virtual ~KeySource() = default;

  /// The keys as they were last seen. UNAVAILABLE when there are none because the provider does not
  /// answer; waits for it 5 s at most.
  virtual arrow::Result<std::shared_ptr<const JwkSet>> Keys() = 0;

  /// For a token that names a key which is not among `seen`: newer keys where they can be had. The
  /// provider is asked at most once in 30 s, whatever is sent to the server; between that, and when
  /// it does not answer, `seen` comes back. Waits as Keys does.
  virtual arrow::Result<std::shared_ptr<const JwkSet>> NewerKeys(
      const std::shared_ptr<const JwkSet>& seen) = 0;
};

/// Keys of a file, read again when it changes. INVALID_ARGUMENT or FAILED_PRECONDITION when it is
/// wrong or cannot be read.
arrow::Result<std::unique_ptr<KeySource>> KeysOfFile(const std::string& path,
                                                     std::shared_ptr<Logger> logger);

/// Gives the text of a set of keys; ends early, with any error, once `is_stopping`.
using FetchKeys = std::function<arrow::Result<std::string>(const std::atomic<bool>& is_stopping)>;

struct FetchedKeysOptions {
  std::string name;  ///< What errors and logs call the provider: its address.
  FetchKeys fetch;
  std::chrono::milliseconds refresh_interval{15 * 60'000};
  std::chrono::milliseconds fetch_interval_min{30'000};  ///< Whatever the reason to fetch.
  /// How long keys count while the provider does not answer: somebody who keeps it from answering
  /// must not keep alive a key that it has withdrawn.
  std::chrono::milliseconds kept{24 * 3'600'000LL};
  std::chrono::milliseconds wait_max{5'000};  ///< Of a caller, for a fetch.
};

/// Keys that a thread fetches, first at once, then at intervals and when unknown ones are asked
/// for.
std::unique_ptr<KeySource> FetchedKeys(FetchedKeysOptions options, std::shared_ptr<Logger> logger);

}  // namespace hangar
