#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

// The values behind storage_type.h, one array at a time. Arrays are ArrayData, as types are changed
// in place far more often than values. A result has the length of its input and may share its
// buffers; its offset is its own.

namespace hangar {

using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

/// An array of a logical type in its storage type. Invalid, with a clause that tells why, for
/// values that cannot be stored.
arrow::Result<ArrayDataPtr> ToStorageArray(const ArrayDataPtr& array,
                                           const std::shared_ptr<arrow::DataType>& storage,
                                           arrow::MemoryPool* pool);

/// A decoded array in a logical type that CanGiveBack allows. CapacityError and Invalid as
/// ToLogical says.
arrow::Result<ArrayDataPtr> ToLogicalArray(const ArrayDataPtr& array,
                                           const std::shared_ptr<arrow::DataType>& logical,
                                           arrow::MemoryPool* pool);

/// The same values and children under another type of the same layout.
ArrayDataPtr WithType(const ArrayDataPtr& array, std::shared_ptr<arrow::DataType> type);

/// The validity bitmap of an array moved to offset 0; null when all values are valid.
arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityAtZero(const arrow::ArrayData& array,
                                                             arrow::MemoryPool* pool);

/// A compute kernel that changes a type and nothing else.
arrow::Result<ArrayDataPtr> CastArray(const ArrayDataPtr& array,
                                      const std::shared_ptr<arrow::DataType>& type,
                                      arrow::MemoryPool* pool);

/// The values at `indices` (any integer type; null gives null).
arrow::Result<ArrayDataPtr> TakeArray(const ArrayDataPtr& values, const ArrayDataPtr& indices,
                                      arrow::MemoryPool* pool);

/// The entries of a map, fit for MapArray, which ends the process over entries or keys that may be
/// null, be it only because a kernel left a validity bitmap of all ones. Invalid for real nulls.
arrow::Result<ArrayDataPtr> MapEntries(const ArrayDataPtr& entries);

}  // namespace hangar
