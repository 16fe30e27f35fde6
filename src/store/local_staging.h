#pragma once

#include <memory>

#include <arrow/result.h>

#include "store/local_root.h"
#include "store/object_store.h"

namespace hangar {

/// A new file in the staging folder. It is held with flock(2) as long as the staged object lives,
/// so that a sweep, in this or another process, can tell it from one whose writer died.
arrow::Result<std::unique_ptr<StagedObject>> StageLocal(std::shared_ptr<LocalRoot> root);

/// Removes the staged files that no one holds.
arrow::Result<SweepReport> SweepLocalStaging(const LocalRoot& root);

}  // namespace hangar
