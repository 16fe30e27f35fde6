#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

// Files that hold what nobody else may know, or that have to be whole whatever happens.
namespace hangar {

/// The whole of a file of up to 16 MiB; nullopt when there is none. FAILED_PRECONDITION, and what
/// to do, when others than its owner may read or write it, or its owner is somebody else (but
/// root).
arrow::Result<std::optional<std::string>> ReadPrivateFile(const std::string& path);

/// The whole of a file of up to 16 MiB, whoever may read it. NOT_FOUND when there is none.
arrow::Result<std::string> ReadWholeFile(const std::string& path);

/// Replaces a file in one step, durably, mode 600. Folders that are missing are made, mode 700.
arrow::Status WritePrivateFile(const std::string& path, std::string_view bytes);

}  // namespace hangar
