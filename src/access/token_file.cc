#include "access/token_file.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <format>
#include <set>
#include <sstream>

#include <toml++/toml.hpp>

#include "access/account_name.h"
#include "access/policy.h"
#include "access/toml_fields.h"
#include "base/crc32.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kEncodedBytes = (kSecretBytes + kChecksumBytes) / 3 * 4;
constexpr size_t kGlobBytesMax = 4096;

// The least significant byte first.
std::string Checksum(std::string_view secret) {
  const uint32_t crc = Crc32(0, reinterpret_cast<const uint8_t*>(secret.data()),
                             static_cast<int64_t>(secret.size()));
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(crc >> shift & 0xff);
  return bytes;
}

arrow::Result<std::optional<Timestamp>> TimeAt(const toml::table& entry, std::string_view key,
                                               const std::string& source) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, TextAt(entry, key, source));
  if (text.empty()) return std::nullopt;
  const auto time = ParseTimestamp(text);
  if (time) return time;
  return WrongAt(
      source, *entry.get(key),
      std::format("{} is no time; times are written as 2026-01-31T12:00:00Z", Quoted(text)));
}

arrow::Result<TokenRecord> ParseToken(std::string_view name, const toml::table& entry,
                                      const std::string& source) {
  TokenRecord token{.name = std::string(name)};
  if (const auto status = CheckAccountName(name); !status.ok()) {
    return WrongAt(source, entry, status.message());
  }
  ARROW_RETURN_NOT_OK(CheckKeys(entry, source, {"sha256", "created", "expires", "grants"}));
  ARROW_ASSIGN_OR_RAISE(const std::string hex, TextAt(entry, "sha256", source));
  const auto hash = DecodeHex(hex);
  if (!hash) {
    return WrongAt(
        source, entry,
        std::format("the token {} needs a sha256 of 64 hexadecimal digits", Quoted(name)));
  }
  token.hash = *hash;
  ARROW_ASSIGN_OR_RAISE(const auto created, TimeAt(entry, "created", source));
  token.created = created.value_or(Timestamp());
  // A key that is there and empty would be a token that never ends by mistake.
  if (entry.contains("expires") && entry["expires"].value_or(std::string("x")).empty()) {
    return WrongAt(source, entry, "'expires' is empty");
  }
  ARROW_ASSIGN_OR_RAISE(token.expires, TimeAt(entry, "expires", source));
  ARROW_ASSIGN_OR_RAISE(const auto grants, TextsAt(entry, "grants", source));
  for (const std::string& text : grants) {
    auto grant = ParseTokenGrant(text);
    if (!grant.ok()) return WrongAt(source, *entry.get("grants"), grant.status().message());
    token.grants.push_back(*std::move(grant));
  }
  return token;
}

}  // namespace

std::string NewToken() {
  std::string bytes = RandomBytes(kSecretBytes);
  bytes += Checksum(bytes);
  return std::string(kTokenPrefix) + EncodeBase64Url(bytes);
}

bool LooksLikeToken(std::string_view text) {
  if (!text.starts_with(kTokenPrefix)) return false;
  text.remove_prefix(kTokenPrefix.size());
  if (text.size() != kEncodedBytes) return false;
  const auto bytes = DecodeBase64Url(text);
  if (!bytes) return false;
  const std::string_view secret = std::string_view(*bytes).substr(0, kSecretBytes);
  return Checksum(secret) == std::string_view(*bytes).substr(kSecretBytes);
}

arrow::Result<std::vector<TokenRecord>> ParseTokens(std::string_view text,
                                                    const std::string& source) {
  std::vector<TokenRecord> tokens;
  std::set<Digest> hashes;
  ARROW_RETURN_NOT_OK(ForEachEntry(
      text, source, "tokens",
      [&](std::string_view name, const toml::table& entry) -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(TokenRecord token, ParseToken(name, entry, source));
        if (!hashes.insert(token.hash).second) {
          return WrongAt(source, entry,
                         std::format("the token {} has the hash of another", Quoted(name)));
        }
        tokens.push_back(std::move(token));
        return arrow::Status::OK();
      }));
  return tokens;
}

std::string FormatTokens(const std::vector<TokenRecord>& tokens) {
  toml::table by_name;
  for (const TokenRecord& token : tokens) {
    toml::table entry;
    entry.insert("sha256", EncodeHex(token.hash));
    entry.insert("created", FormatTokenTime(token.created));
    if (token.expires) entry.insert("expires", FormatTokenTime(*token.expires));
    toml::array grants;
    for (const TokenGrant& grant : token.grants) grants.push_back(grant.action + ":" + grant.glob);
    if (!grants.empty()) entry.insert("grants", std::move(grants));
    by_name.insert(token.name, std::move(entry));
  }
  toml::table root;
  if (!tokens.empty()) root.insert("tokens", std::move(by_name));
  std::ostringstream text;
  text << "# Hashes of the tokens that hangar serve accepts. \"hangar token\" writes this file;\n"
          "# comments do not outlive that.\n\n"
       << root << "\n";
  return text.str();
}

std::string FormatTokenTime(Timestamp time) {
  return std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(time));
}

arrow::Result<TokenGrant> ParseTokenGrant(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return Error(ErrorKind::kInvalidArgument, "{} is no grant; grants are written as read:sales/**",
                 Quoted(text));
  }
  const std::string_view glob = text.substr(colon + 1);
  ARROW_ASSIGN_OR_RAISE(const AccessAction action, ParseAccessAction(text.substr(0, colon)));
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (glob.empty() || glob.size() > kGlobBytesMax || !IsValidUtf8(glob) ||
      std::ranges::any_of(glob, is_control)) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is no grant: after the ':' comes a glob of names, 1 to {} bytes of UTF-8 "
                 "without control characters",
                 Quoted(text), kGlobBytesMax);
  }
  return TokenGrant{.action = std::string(AccessActionName(action)), .glob = std::string(glob)};
}

}  // namespace hangar
