#include "access/jwt_verifier.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "access/crypto.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

using nlohmann::json;

constexpr size_t kHeaderBytesMax = 4 << 10;
constexpr size_t kTokenBytesMax = 16 << 10;
constexpr size_t kTextBytesMax = 255;  // OpenID Connect Core 1.0, 2 has it of "sub".
constexpr size_t kGroupsMax = 1000;
constexpr double kLeewaySeconds = 60;

arrow::Status Wrong(const char* why) { return MakeError(ErrorKind::kUnauthenticated, why); }

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // Header and payload.
};

arrow::Result<Parts> Split(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return Wrong("the JWT does not have three parts");
  }
  if (token.size() > kTokenBytesMax || first > kHeaderBytesMax) return Wrong("the JWT is too long");
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_text = token.substr(0, second)};
}

// Nothing if it is no JSON object in base64url, or one in which a key stands twice, at any depth.
std::optional<json> DecodeObject(std::string_view encoded) {
  const auto text = DecodeBase64Url(encoded);
  // The parser would take a NUL for the end.
  if (!text || text->contains('\0')) return std::nullopt;
  std::vector<std::set<std::string>> open_objects;
  bool is_repeated = false;
  const auto note = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key) {
      is_repeated |= !open_objects.back().insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  json object = json::parse(*text, note, /*allow_exceptions=*/false);
  if (!object.is_object() || is_repeated) return std::nullopt;
  return object;
}

bool IsTypeOfToken(const json& header) {
  const auto type = header.find("typ");
  if (type == header.end()) return true;
  if (!type->is_string()) return false;
  std::string name = type->get<std::string>();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name == "jwt" || name == "at+jwt" || name == "application/at+jwt";
}

// What the header says.
struct Header {
  std::string algorithm;
  std::string key_id;  // Empty: none.
};

arrow::Result<Header> ParseHeader(std::string_view encoded) {
  const auto header = DecodeObject(encoded);
  if (!header) return Wrong("the JWT's header is no JSON object");
  if (header->contains("crit")) return Wrong("the JWT has critical extensions");
  if (!IsTypeOfToken(*header)) return Wrong("the JWT is of another type");
  const auto algorithm = header->find("alg");
  if (algorithm == header->end() || !algorithm->is_string()) return Wrong("the JWT has no 'alg'");
  const auto key_id = header->find("kid");
  if (key_id != header->end() && !key_id->is_string()) return Wrong("the JWT's 'kid' is no text");
  return Header{.algorithm = algorithm->get<std::string>(),
                .key_id = key_id == header->end() ? std::string() : key_id->get<std::string>()};
}

bool IsKeyOf(const Header& header, const VerificationKey& key) {
  return header.key_id.empty() || header.key_id == key.id();
}

// The keys that the header means, of whatever kind.
bool KnowsKey(const JwkSet& set, const Header& header) {
  return std::ranges::any_of(set.keys, [&](const auto& key) { return IsKeyOf(header, key); });
}

arrow::Status CheckSignature(const Parts& parts, const Header& header, const JwkSet& set) {
  const auto signature = DecodeBase64Url(parts.signature);
  if (!signature) return Wrong("the JWT's signature is no base64url");
  bool is_taken = false;
  for (const VerificationKey& key : set.keys) {
    if (!IsKeyOf(header, key) || !key.Takes(header.algorithm)) continue;
    is_taken = true;
    if (key.Verifies(header.algorithm, parts.signed_text, *signature)) return arrow::Status::OK();
  }
  return Wrong(is_taken ? "the JWT's signature is wrong"
                        : "no key of the JWT's 'kid' takes its 'alg'");
}

// Seconds since the epoch; nothing if it is not there.
arrow::Result<std::optional<double>> TimeAt(const json& claims, const char* key) {
  const auto found = claims.find(key);
  if (found == claims.end()) return std::nullopt;
  if (!found->is_number() || !std::isfinite(found->get<double>())) {
    return Wrong("a time in the JWT is no number");
  }
  return found->get<double>();
}

arrow::Status CheckTimes(const json& claims, Timestamp now) {
  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  ARROW_ASSIGN_OR_RAISE(const auto expires, TimeAt(claims, "exp"));
  if (!expires) return Wrong("the JWT has no 'exp'");
  if (seconds >= *expires + kLeewaySeconds) return Wrong("the JWT has expired");
  ARROW_ASSIGN_OR_RAISE(const auto begins, TimeAt(claims, "nbf"));
  if (begins && seconds < *begins - kLeewaySeconds) return Wrong("the JWT is not valid yet");
  return arrow::Status::OK();
}

bool IsFor(const json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_array()) return std::ranges::find(*found, json(audience)) != found->end();
  return *found == audience;
}

bool IsFitForName(const std::string& text) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  return !text.empty() && text.size() <= kTextBytesMax && IsValidUtf8(text) &&
         std::ranges::none_of(text, is_control);
}

// An array of texts, or one text with spaces between, as "scope" is.
arrow::Result<std::vector<std::string>> GroupsAt(const json& claims, const std::string& key) {
  std::vector<std::string> groups;
  const auto found = claims.find(key);
  if (found == claims.end() || found->is_null()) return groups;
  if (found->is_string()) {
    const std::string text = found->get<std::string>();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      if (end > begin) groups.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  } else if (found->is_array()) {
    for (const json& item : *found) {
      if (!item.is_string()) return Wrong("a group in the JWT is no text");
      groups.push_back(item.get<std::string>());
    }
  } else {
    return Wrong("the JWT's groups are no array of texts");
  }
  if (groups.size() > kGroupsMax || !std::ranges::all_of(groups, IsFitForName)) {
    return Wrong("the JWT's groups are too many or not fit for names");
  }
  return groups;
}

arrow::Result<std::shared_ptr<const Identity>> IdentityOf(const json& claims,
                                                          const JwtRules& rules) {
  Identity identity{.kind = IdentityKind::kFederated};
  const auto name = claims.find(rules.name_claim);
  if (name == claims.end() || !name->is_string()) return Wrong("the JWT has no name");
  identity.name = name->get<std::string>();
  if (!IsFitForName(identity.name)) return Wrong("the JWT's name is not fit for one");
  ARROW_ASSIGN_OR_RAISE(identity.groups, GroupsAt(claims, rules.groups_claim));
  return std::make_shared<const Identity>(std::move(identity));
}

}  // namespace

arrow::Result<std::shared_ptr<const Identity>> JwtVerifier::Verify(std::string_view token,
                                                                   Timestamp now) {
  ARROW_ASSIGN_OR_RAISE(const Parts parts, Split(token));
  ARROW_ASSIGN_OR_RAISE(const Header header, ParseHeader(parts.header));
  ARROW_ASSIGN_OR_RAISE(auto keys, keys_->Keys());
  if (!KnowsKey(*keys, header)) {
    ARROW_ASSIGN_OR_RAISE(keys, keys_->NewerKeys(keys));
    if (!KnowsKey(*keys, header)) return Wrong("the JWT's key is not known");
  }
  ARROW_RETURN_NOT_OK(CheckSignature(parts, header, *keys));
  const auto claims = DecodeObject(parts.payload);
  if (!claims) return Wrong("the JWT's payload is no JSON object");
  const auto issuer = claims->find("iss");
  if (issuer == claims->end() || *issuer != rules_.issuer) {
    return Wrong("the JWT is of another issuer");
  }
  if (!IsFor(*claims, rules_.audience)) return Wrong("the JWT is for another audience");
  ARROW_RETURN_NOT_OK(CheckTimes(*claims, now));
  return IdentityOf(*claims, rules_);
}

}  // namespace hangar
