#pragma once

#include <memory>

#include <arrow/type_fwd.h>

namespace hangar {

/// The type that a value of `logical` is stored as. `logical` has passed CheckStorable. Equal to
/// `logical`, metadata included, for types that are stored as they are.
std::shared_ptr<arrow::DataType> StorageType(const std::shared_ptr<arrow::DataType>& logical);

/// The field that a column is stored as. Marks of an extension type are left out where the storage
/// type is not the extension's own, as a reader that knows the extension would stumble over it.
std::shared_ptr<arrow::Field> StorageField(const std::shared_ptr<arrow::Field>& logical);

/// Whether ToLogical can give arrays of type `decoded` back as `logical`, whatever the values: true
/// for every logical type and what its storage type is read as, and for what other writers of
/// Parquet make of the same types.
bool CanGiveBack(const arrow::Field& decoded, const arrow::Field& logical);

}  // namespace hangar
