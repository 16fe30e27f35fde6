#include "decode/nested_levels.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <arrow/buffer.h>

#include "decode/validity_builder.h"

namespace hangar {
namespace {

// So many levels are looked at together.
constexpr int64_t kBlock = 4096;

// Calls `visit(definitions, count)` with the definitions of the slots, block after block.
template <typename Visit>
arrow::Status VisitSlots(const NestedField& field, const Levels& levels, Visit&& visit) {
  if (levels.repetition == nullptr) return visit(levels.definition, levels.count);
  uint8_t slots[kBlock];
  for (int64_t begin = 0; begin < levels.count; begin += kBlock) {
    const uint8_t* const repetition = levels.repetition + begin;
    const uint8_t* const definition = levels.definition + begin;
    const int64_t count = std::min(kBlock, levels.count - begin);
    int64_t next = 0;
    for (int64_t i = 0; i < count; ++i) {
      slots[next] = definition[i];
      next += (repetition[i] <= field.slot_repetition ? 1 : 0) &
              (definition[i] >= field.slot_definition ? 1 : 0);
    }
    ARROW_RETURN_NOT_OK(visit(slots, next));
  }
  return arrow::Status::OK();
}

// Writes an offset behind the last one as well, which is why there is one more than slots. Gives
// how many items there are.
template <bool kOutermost, typename Offset>
int64_t FillOffsets(const NestedField& list, const Levels& levels, Offset* offsets) {
  const int slot_repetition = list.slot_repetition;
  const int slot_definition = list.slot_definition;
  const int item_definition = list.children.front().slot_definition;
  int64_t slot = 0;
  int64_t items = 0;
  for (int64_t i = 0; i < levels.count; ++i) {
    const int repetition = levels.repetition[i];
    const int definition = levels.definition[i];
    // Overwritten until the slot begins that it is the offset of.
    offsets[slot] = static_cast<Offset>(items);
    if constexpr (kOutermost) {
      slot += repetition == 0 ? 1 : 0;
    } else {
      slot += (repetition <= slot_repetition ? 1 : 0) & (definition >= slot_definition ? 1 : 0);
    }
    items += (repetition <= slot_repetition + 1 ? 1 : 0) & (definition >= item_definition ? 1 : 0);
  }
  offsets[slot] = static_cast<Offset>(items);
  return items;
}

template <typename Offset>
arrow::Result<ListOffsets> MakeOffsetsOf(const NestedField& list, const Levels& levels,
                                         int64_t slots, arrow::MemoryPool* pool) {
  ListOffsets result;
  ARROW_ASSIGN_OR_RAISE(
      result.offsets,
      arrow::AllocateBuffer((slots + 1) * static_cast<int64_t>(sizeof(Offset)), pool));
  auto* const offsets = reinterpret_cast<Offset*>(result.offsets->mutable_data());
  result.items = list.slot_repetition == 0 ? FillOffsets<true>(list, levels, offsets)
                                           : FillOffsets<false>(list, levels, offsets);
  if (result.items > std::numeric_limits<Offset>::max()) {
    return arrow::Status::NotImplemented("more items in lists than an array can hold");
  }
  result.offsets->ZeroPadding();
  return result;
}

// Whether the two say the same level by level, which is at once clear of most. The loop has no
// branch in it, so that it is vectorised.
bool AreEqual(const NestedField& parent, const Levels& a, const Levels& b) {
  if (a.count != b.count || (a.repetition == nullptr) != (b.repetition == nullptr)) return false;
  if (a.repetition != nullptr &&
      std::memcmp(a.repetition, b.repetition, static_cast<size_t>(a.count)) != 0) {
    return false;
  }
  const auto valid = static_cast<uint8_t>(parent.valid_definition);
  uint8_t different = 0;
  for (int64_t i = 0; i < a.count; ++i) {
    different |=
        static_cast<uint8_t>(std::min(a.definition[i], valid) ^ std::min(b.definition[i], valid));
  }
  return different == 0;
}

// As above, where one of them has further lists inside of the struct.
bool AgreeOnSlots(const NestedField& parent, const Levels& a, const Levels& b) {
  const auto repetition = [](const Levels& levels, int64_t i) {
    return levels.repetition == nullptr ? 0 : levels.repetition[i];
  };
  const auto definition = [&](const Levels& levels, int64_t i) {
    return std::min<int>(levels.definition[i], parent.valid_definition);
  };
  const auto next_slot = [&](const Levels& levels, int64_t i) {
    while (i < levels.count && repetition(levels, i) > parent.slot_repetition) ++i;
    return i;
  };
  int64_t i = next_slot(a, 0);
  int64_t j = next_slot(b, 0);
  for (; i < a.count && j < b.count; i = next_slot(a, i + 1), j = next_slot(b, j + 1)) {
    if (repetition(a, i) != repetition(b, j) || definition(a, i) != definition(b, j)) return false;
  }
  return i == a.count && j == b.count;
}

}  // namespace

arrow::Result<FieldValidity> MakeValidity(const NestedField& field, const Levels& levels,
                                          int64_t slots, arrow::MemoryPool* pool) {
  FieldValidity result;
  if (!field.nullable) return result;
  // Nearly always no slot is null, which is seen at a glance: a null one has no list inside of it,
  // and so a level of its own that is too low for being valid.
  if (CountAtLeast(levels.definition, levels.count, field.slot_definition) ==
      CountAtLeast(levels.definition, levels.count, field.valid_definition)) {
    return result;
  }
  ValidityBuilder builder(pool);
  builder.Begin(slots);
  ARROW_RETURN_NOT_OK(VisitSlots(field, levels, [&](const uint8_t* definitions, int64_t count) {
    return builder.Append(definitions, count, field.valid_definition).status();
  }));
  result.null_count = builder.null_count();
  ARROW_ASSIGN_OR_RAISE(result.bits, builder.Finish());
  return result;
}

arrow::Result<ListOffsets> MakeOffsets(const NestedField& list, const Levels& levels, int64_t slots,
                                       arrow::MemoryPool* pool) {
  return list.kind == NestedField::Kind::kLargeList
             ? MakeOffsetsOf<int64_t>(list, levels, slots, pool)
             : MakeOffsetsOf<int32_t>(list, levels, slots, pool);
}

bool AgreeOn(const NestedField& parent, const Levels& a, const Levels& b) {
  // Every row has a slot for each leaf: there is nothing to disagree on.
  if (parent.valid_definition == 0) return true;
  return AreEqual(parent, a, b) || AgreeOnSlots(parent, a, b);
}

}  // namespace hangar
