#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "store/object_store.h"
#include "write/write_settings.h"

namespace hangar {

/// Rows `begin` to `begin + rows - 1` of an endless table: `id` int64 (the row's number), `name`
/// string ("row N", null where N % 7 == 3), `half` double (N / 2).
std::shared_ptr<arrow::RecordBatch> NumberedBatch(int64_t begin, int64_t rows);
std::shared_ptr<arrow::Schema> NumberedSchema();

/// Stores rows 0 to `rows - 1` of that table as the dataset `name`. Fails the test on an error.
ObjectInfo StoreNumbered(ObjectStore& store, const std::string& name, int64_t rows,
                         const WriteSettings& settings = {});

/// Stores bytes as they are.
ObjectInfo StoreBytes(ObjectStore& store, const std::string& name, const std::string& bytes);

/// All bytes of an object.
std::string LoadBytes(ObjectStore& store, const std::string& name);

}  // namespace hangar
