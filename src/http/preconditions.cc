#include "http/preconditions.h"

#include <algorithm>

#include "http/header_text.h"

namespace hangar {
namespace {

constexpr std::string_view kWeak = "W/";

// entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE (RFC 9110, section 8.8.3).
bool IsEntityTag(std::string_view text) {
  if (text.starts_with(kWeak)) text.remove_prefix(kWeak.size());
  if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) return false;
  text = text.substr(1, text.size() - 2);
  return std::ranges::all_of(text,
                             [](unsigned char c) { return c > 0x20 && c != '"' && c != 0x7F; });
}

std::string_view Opaque(std::string_view tag) {
  return tag.starts_with(kWeak) ? tag.substr(kWeak.size()) : tag;
}

bool StrongMatch(const EntityTags& tags, std::string_view tag) {
  if (tags.any) return true;
  return !tag.starts_with(kWeak) && std::ranges::contains(tags.tags, tag);
}

bool WeakMatch(const EntityTags& tags, std::string_view tag) {
  if (tags.any) return true;
  return std::ranges::any_of(
      tags.tags, [tag](const std::string& other) { return Opaque(other) == Opaque(tag); });
}

}  // namespace

std::string StrongTag(std::string_view version) { return '"' + std::string(version) + '"'; }

std::string WeakTag(std::string_view version) { return "W/" + StrongTag(version); }

std::optional<EntityTags> ParseEntityTags(std::string_view header) {
  EntityTags parsed;
  header = TrimmedOws(header);
  if (header == "*") {
    parsed.any = true;
    return parsed;
  }
  for (const std::string_view item : SplitList(header)) {
    if (!IsEntityTag(item)) return std::nullopt;
    parsed.tags.emplace_back(item);
  }
  if (parsed.tags.empty()) return std::nullopt;
  return parsed;
}

std::optional<std::string> VersionOfTag(std::string_view tag) {
  if (tag.starts_with(kWeak) || tag.size() < 2) return std::nullopt;
  return std::string(tag.substr(1, tag.size() - 2));
}

ConditionOutcome Evaluate(const ReadConditions& conditions, const Validators& validators,
                          HttpTime now) {
  if (conditions.if_match) {
    const auto tags = ParseEntityTags(*conditions.if_match);
    if (!tags || !StrongMatch(*tags, validators.tag)) return ConditionOutcome::kFailed;
  } else if (conditions.if_unmodified_since) {
    const auto date = ParseHttpDate(*conditions.if_unmodified_since, now);
    if (date && validators.modified > *date) return ConditionOutcome::kFailed;
  }
  if (conditions.if_none_match) {
    const auto tags = ParseEntityTags(*conditions.if_none_match);
    return tags && WeakMatch(*tags, validators.tag) ? ConditionOutcome::kNotModified
                                                    : ConditionOutcome::kProceed;
  }
  if (conditions.if_modified_since) {
    const auto date = ParseHttpDate(*conditions.if_modified_since, now);
    if (date && validators.modified <= *date) return ConditionOutcome::kNotModified;
  }
  return ConditionOutcome::kProceed;
}

bool IfRangeHolds(std::string_view header, const Validators& validators) {
  header = TrimmedOws(header);
  return IsEntityTag(header) && !header.starts_with(kWeak) && header == validators.tag;
}

}  // namespace hangar
