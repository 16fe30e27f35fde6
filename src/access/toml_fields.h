#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <toml++/toml.hpp>

namespace hangar {

// Strict reading of the files of tokens and users, whose shape is `[GROUP.NAME]` tables. For .cc
// files only: toml++ is heavy. Errors are INVALID_ARGUMENT and name the file and the line.

/// An error at a place of a file that is called `source`.
arrow::Status WrongAt(const std::string& source, const toml::node& node, std::string_view what);

/// Calls `read` for each `[group.NAME]` table of the text; anything else at the top is an error.
arrow::Status ForEachEntry(
    std::string_view text, const std::string& source, std::string_view group,
    const std::function<arrow::Status(std::string_view name, const toml::table& entry)>& read);

/// Refuses keys that are not `known`.
arrow::Status CheckKeys(const toml::table& entry, const std::string& source,
                        std::initializer_list<std::string_view> known);

/// The text at `key`; empty where there is none.
arrow::Result<std::string> TextAt(const toml::table& entry, std::string_view key,
                                  const std::string& source);

/// The texts of the array at `key`; none where there is no such key.
arrow::Result<std::vector<std::string>> TextsAt(const toml::table& entry, std::string_view key,
                                                const std::string& source);

}  // namespace hangar
