#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "schema/array_conversion.h"

namespace hangar {

/// Makes an array agree with what its fields declare about nulls, as Parquet wants it. `field` is a
/// storage field and `array` of its type. A null in a field that is declared to have none is
/// Invalid, naming the innermost field; one that is hidden behind a null struct or list around it
/// is allowed, and taken out. Nothing is copied where nothing hides.
arrow::Result<ArrayDataPtr> KeepDeclaredNulls(ArrayDataPtr array, const arrow::Field& field,
                                              arrow::MemoryPool* pool);

}  // namespace hangar
