#pragma once

#include <functional>
#include <memory>

#include <arrow/record_batch.h>
#include <arrow/result.h>

namespace hangar {

/// A read of whatever is current. When its version turns out to be gone before anything was given
/// (it was replaced in the moment it was opened, or was known from some time ago), it begins once
/// more: `begin` is called a second time. One thread at a time.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> BeginRetriedRead(
    std::function<arrow::Result<std::shared_ptr<arrow::RecordBatchReader>>()> begin);

}  // namespace hangar
