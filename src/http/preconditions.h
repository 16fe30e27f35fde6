#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/http_date.h"

namespace hangar {

/// A version as an entity tag: `"VERSION"`.
std::string StrongTag(std::string_view version);
/// Of what is made from a version, and need not have the same bytes each time: `W/"VERSION"`.
std::string WeakTag(std::string_view version);

/// The entity tags of an If-Match or If-None-Match header.
struct EntityTags {
  bool any = false;               ///< "*"
  std::vector<std::string> tags;  ///< As they were sent, well-formed.
};

/// nullopt when it is neither "*" nor a list of entity tags.
std::optional<EntityTags> ParseEntityTags(std::string_view header);

/// Without the quotes; nullopt for a weak tag, which never stands for a version's bytes.
std::optional<std::string> VersionOfTag(std::string_view tag);

/// The conditions of a GET or HEAD request; a header that is not there is absent.
struct ReadConditions {
  std::optional<std::string> if_match;
  std::optional<std::string> if_none_match;
  std::optional<std::string> if_modified_since;
  std::optional<std::string> if_unmodified_since;
};

/// What of the selected representation they are held against.
struct Validators {
  std::string tag;
  HttpTime modified;
};

enum class ConditionOutcome { kProceed, kNotModified, kFailed };

/// In the order of RFC 9110, section 13.2.2. Dates that cannot be read are not heeded.
ConditionOutcome Evaluate(const ReadConditions& conditions, const Validators& validators,
                          HttpTime now);

/// True when an If-Range header lets its Range be heeded: its entity tag is the strong one of the
/// representation. A date never is: two versions may be of the same second.
bool IfRangeHolds(std::string_view header, const Validators& validators);

}  // namespace hangar
