#include "access/token_check.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace hangar {
namespace {

arrow::Status Wrong(const char* why) { return MakeError(ErrorKind::kUnauthenticated, why); }

}  // namespace

arrow::Result<std::unique_ptr<TokenCheck>> TokenCheck::Make(const std::string& token_file,
                                                            std::shared_ptr<Logger> logger) {
  ARROW_ASSIGN_OR_RAISE(auto tokens,
                        ReloadedFile<KnownTokens>::Make(token_file, Parse, std::move(logger)));
  return std::unique_ptr<TokenCheck>(new TokenCheck(std::move(tokens)));
}

arrow::Result<TokenCheck::KnownTokens> TokenCheck::Parse(const std::string& text,
                                                         const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto records, ParseTokens(text, path));
  KnownTokens tokens;
  for (TokenRecord& record : records) {
    Identity identity{.kind = IdentityKind::kToken, .name = std::move(record.name)};
    identity.grants = std::move(record.grants);
    tokens.push_back({.hash = record.hash,
                      .expires = record.expires,
                      .identity = std::make_shared<const Identity>(std::move(identity))});
  }
  std::ranges::sort(tokens, {}, &Known::hash);
  return tokens;
}

arrow::Result<std::shared_ptr<const Identity>> TokenCheck::Check(std::string_view token,
                                                                 Timestamp now) {
  if (!LooksLikeToken(token)) return Wrong("the token is malformed");
  const Digest hash = Sha256(token);
  const auto tokens = tokens_->Current();
  const auto found = std::ranges::lower_bound(*tokens, hash, {}, &Known::hash);
  if (found == tokens->end() || !EqualInConstantTime(found->hash, hash)) {
    return Wrong("the token is not known");
  }
  if (found->expires && *found->expires <= now) return Wrong("the token has expired");
  return found->identity;
}

}  // namespace hangar
