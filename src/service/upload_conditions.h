#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "service/upload.h"
#include "store/object_store.h"

namespace hangar {

class HistoryKeeper;

/// What must hold when the upload is published. INVALID_ARGUMENT for a request that contradicts
/// itself.
arrow::Result<Precondition> PreconditionOf(const UploadRequest& request);

/// Refuses an upload that could not be published as things stand, before its data is sent. What
/// counts is the check that the store makes when it publishes.
arrow::Status CheckEarly(ObjectStore& store, const DatasetName& name,
                         const Precondition& precondition);

/// When an upload fails because the disk is full, what no ticket names of the past goes, so that
/// the next one fits. Returns `status`, which then says what the client can do.
arrow::Status MakeRoomAfter(arrow::Status status, HistoryKeeper& keeper);

UploadResult ResultOf(const Snapshot& snapshot, bool repeated);

}  // namespace hangar
