#pragma once

#include <string>

#include <arrow/result.h>

#include "client/client.h"

namespace CLI {
class App;
}  // namespace CLI

namespace hangar::cli {

/// A dataset, in its current version or another.
struct DatasetReference {
  std::string name;
  client::VersionChoice choice;
};

/// "NAME", "NAME@VERSION" or "NAME@TIME". What follows the last `@` is a version when it is 32
/// hexadecimal digits, and a point in time when it is an RFC 3339 time or a date; otherwise the `@`
/// belongs to the name.
DatasetReference ParseDatasetReference(const std::string& text);

/// What --version and --as-of were given as; empty when they were not.
struct VersionFlags {
  std::string version;
  std::string as_of;
};

/// Adds the two flags to a command. `flags` lives as long as the command.
void AddVersionFlags(CLI::App& command, VersionFlags& flags);

/// The dataset and version that a command means. With one of the flags all of `text` is the name,
/// so that names which end like a version can be given too.
DatasetReference ResolveReference(const std::string& text, const VersionFlags& flags);

/// What help says of an argument that ResolveReference takes.
inline constexpr char kReferenceHelp[] =
    "The dataset; NAME@VERSION or NAME@TIME is an earlier version of it";

}  // namespace hangar::cli
