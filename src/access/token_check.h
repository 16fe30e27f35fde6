#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/identity.h"
#include "access/reloaded_file.h"
#include "access/token_file.h"
#include "base/clock.h"
#include "base/log.h"

namespace hangar {

/// Whether a token is one of those of the operator's file. Thread-safe.
class TokenCheck {
 public:
  /// INVALID_ARGUMENT or FAILED_PRECONDITION when the file is wrong or cannot be read.
  static arrow::Result<std::unique_ptr<TokenCheck>> Make(const std::string& token_file,
                                                         std::shared_ptr<Logger> logger);

  /// The token's identity, with its grants. UNAUTHENTICATED, saying why for the log, when it is not
  /// known or has expired.
  arrow::Result<std::shared_ptr<const Identity>> Check(std::string_view token, Timestamp now);

 private:
  struct Known {
    Digest hash{};
    std::optional<Timestamp> expires;
    std::shared_ptr<const Identity> identity;
  };
  // In the order of their hashes. To find one takes a time that tells something of the hash, but
  // nobody can make tokens whose hashes begin as they wish and learn the token from that.
  using KnownTokens = std::vector<Known>;

  explicit TokenCheck(std::unique_ptr<ReloadedFile<KnownTokens>> tokens)
      : tokens_(std::move(tokens)) {}
  static arrow::Result<KnownTokens> Parse(const std::string& text, const std::string& path);

  const std::unique_ptr<ReloadedFile<KnownTokens>> tokens_;
};

}  // namespace hangar
