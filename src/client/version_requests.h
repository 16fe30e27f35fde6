#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>

#include "client/client.h"

/// The bodies and results of the actions on datasets and their versions (docs/protocol.md). The
/// Parse functions are INTERNAL when a result is not what the protocol says.
namespace hangar::client {

/// The plain name where nothing else is asked for, which every Hangar server understands.
std::string DropBody(const std::string& name, const DropOptions& options);

std::string RenameBody(const std::string& from, const std::string& to,
                       const RenameOptions& options);

/// Of the actions that take no more than a dataset.
std::string DatasetBody(const std::string& name);

std::string RestoreBody(const std::string& name, const RestoreOptions& options);

/// All that is retired of the name when `version` is empty.
std::string PurgeBody(const std::string& name, const std::string& version);

arrow::Result<DatasetVersion> ParseDatasetVersion(std::string_view result);
arrow::Result<VersionInfo> ParseVersionInfo(std::string_view result);
arrow::Result<DroppedDataset> ParseDroppedDataset(std::string_view result);
arrow::Result<PurgeSummary> ParsePurgeSummary(std::string_view result);
arrow::Result<HistoryStatus> ParseHistoryStatus(std::string_view result);
arrow::Result<CheckedDataset> ParseCheckedDataset(std::string_view result);

}  // namespace hangar::client
