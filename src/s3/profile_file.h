#pragma once

#include <map>
#include <string>
#include <string_view>

#include <arrow/result.h>

#include "s3/environment.h"

namespace hangar {

/// The settings of a profile, by their names in small letters.
using Profile = std::map<std::string, std::string>;

/// The profiles of one of the files that AWS' tools share
/// (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html), by what stands between the
/// brackets. Lines that are none of that format are passed over, as other tools do; so are nested
/// settings.
std::map<std::string, Profile> ParseProfileFile(std::string_view text);

/// The profile `name` (empty: AWS_PROFILE, else "default") of the config and the credentials file,
/// of which the latter counts more; empty where neither has it. AWS_CONFIG_FILE and
/// AWS_SHARED_CREDENTIALS_FILE say where they are, else ~/.aws/. FAILED_PRECONDITION when a file
/// that is there cannot be read.
arrow::Result<Profile> LoadProfile(const std::string& name, const Environment& environment);

}  // namespace hangar
