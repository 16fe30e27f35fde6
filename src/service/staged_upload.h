#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "service/dataset_description.h"
#include "service/upload.h"

namespace hangar {

class CallerRates;
class Catalog;
class CommittedUploads;
class HistoryKeeper;
class ObjectStore;
class RangeFetcher;
class WorkerPool;
class WorkMemory;

/// What uploads share. Must outlive them.
struct UploadResources {
  ObjectStore* store = nullptr;
  Catalog* catalog = nullptr;
  CommittedUploads* committed = nullptr;
  HistoryKeeper* keeper = nullptr;
  WorkMemory* memory = nullptr;
  CallerRates* rates = nullptr;
  WorkerPool* workers = nullptr;
  RangeFetcher* fetcher = nullptr;  ///< Of a remote store, else null.
};

/// Starts an upload into staging, as DatasetService::BeginUpload says, once there is memory for it.
arrow::Result<std::unique_ptr<Upload>> BeginStagedUpload(const UploadResources& resources,
                                                         const UploadLimits& limits,
                                                         const Caller& caller,
                                                         const UploadRequest& request,
                                                         std::shared_ptr<arrow::Schema> schema);

}  // namespace hangar
