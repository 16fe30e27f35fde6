#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "decode/nested_field.h"
#include "decode/nested_leaf.h"

// What the levels of a leaf say of the fields around it. `levels` are those of a leaf in the field,
// and sound, as NestedLeaf gives them.

namespace hangar {

/// The validity of the field, which has `slots` slots. A bitmap only where one of them is null.
struct FieldValidity {
  std::shared_ptr<arrow::Buffer> bits;
  int64_t null_count = 0;
};
arrow::Result<FieldValidity> MakeValidity(const NestedField& field, const Levels& levels,
                                          int64_t slots, arrow::MemoryPool* pool);

/// The offsets of the items of a list of `slots` slots.
struct ListOffsets {
  std::shared_ptr<arrow::Buffer> offsets;
  int64_t items = 0;
};
arrow::Result<ListOffsets> MakeOffsets(const NestedField& list, const Levels& levels, int64_t slots,
                                       arrow::MemoryPool* pool);

/// Whether two leaves in the struct `parent` say the same of it and of all that is around it.
bool AgreeOn(const NestedField& parent, const Levels& a, const Levels& b);

}  // namespace hangar
