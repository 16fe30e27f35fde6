#include "write/column_strand.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/align_util.h>
#include <arrow/util/checked_cast.h>
#include <parquet/schema.h>

#include "base/error.h"
#include "base/text.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

using arrow::internal::checked_cast;

// What the widest numbers need that are loaded as such.
constexpr int64_t kAlignmentBytes = 8;

// The arrays of the Parquet columns beneath a stored array, in their order: what is behind nulls is
// left out where it is easy to.
arrow::Status CollectLeaves(const std::shared_ptr<arrow::Array>& array, arrow::MemoryPool* pool,
                            arrow::ArrayVector* leaves) {
  switch (array->type_id()) {
    case arrow::Type::STRUCT: {
      const auto& fields = checked_cast<const arrow::StructArray&>(*array);
      for (int i = 0; i < fields.num_fields(); ++i) {
        ARROW_RETURN_NOT_OK(CollectLeaves(fields.field(i), pool, leaves));
      }
      return arrow::Status::OK();
    }
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      ARROW_ASSIGN_OR_RAISE(const auto items,
                            checked_cast<const arrow::ListArray&>(*array).Flatten(pool));
      return CollectLeaves(items, pool, leaves);
    }
    case arrow::Type::LARGE_LIST: {
      ARROW_ASSIGN_OR_RAISE(const auto items,
                            checked_cast<const arrow::LargeListArray&>(*array).Flatten(pool));
      return CollectLeaves(items, pool, leaves);
    }
    case arrow::Type::FIXED_SIZE_LIST: {
      ARROW_ASSIGN_OR_RAISE(const auto items,
                            checked_cast<const arrow::FixedSizeListArray&>(*array).Flatten(pool));
      return CollectLeaves(items, pool, leaves);
    }
    case arrow::Type::EXTENSION:
      return CollectLeaves(checked_cast<const arrow::ExtensionArray&>(*array).storage(), pool,
                           leaves);
    default:
      leaves->push_back(array);
      return arrow::Status::OK();
  }
}

// A column that comes with a dictionary keeps it.
bool ChooseForDictionary(const arrow::ArrayVector& leaves, const EncodingWish& wish,
                         EncodingChoice* choice) {
  if (leaves.empty() || leaves.front()->type_id() != arrow::Type::DICTIONARY) return false;
  choice->encoding = wish.encoding.value_or(ColumnEncoding::kDictionary);
  choice->codec = wish.codec.value_or(ColumnCodec{.type = arrow::Compression::LZ4});
  return true;
}

}  // namespace

ColumnStrand::ColumnStrand(std::shared_ptr<arrow::Field> logical,
                           std::shared_ptr<const StorageMapping> mapping,
                           std::vector<const parquet::ColumnDescriptor*> leaves,
                           std::vector<LeafSettings> settings, arrow::MemoryPool* pool)
    : logical_(std::move(logical)),
      logical_schema_(arrow::schema({logical_})),
      mapping_(std::move(mapping)),
      leaves_(std::move(leaves)),
      settings_(std::move(settings)),
      needs_alignment_(!IsFlat(*mapping_->storage_schema()->field(0)->type()) ||
                       !mapping_->storage_schema()->field(0)->type()->Equals(logical_->type())),
      pool_(pool) {
  for (const LeafSettings& leaf : settings_) {
    codecs_.push_back(leaf.wish.codec.value_or(ColumnCodec{}));
  }
}

ColumnStrand::~ColumnStrand() = default;

arrow::Result<std::unique_ptr<ColumnStrand>> ColumnStrand::Make(
    const std::shared_ptr<arrow::Field>& logical,
    std::vector<const parquet::ColumnDescriptor*> leaves, std::vector<LeafSettings> settings,
    arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto mapping, StorageMapping::Make(arrow::schema({logical})));
  return std::unique_ptr<ColumnStrand>(
      new ColumnStrand(logical, std::move(mapping), std::move(leaves), std::move(settings), pool));
}

arrow::Result<std::shared_ptr<arrow::Array>> ColumnStrand::ToStorage(
    const std::shared_ptr<arrow::Array>& array, int64_t batch_number) const {
  if (!array->ValidateFull().ok()) {
    return Error(ErrorKind::kInvalidArgument,
                 "batch {} of the upload is malformed: the data of column {} does not fit its "
                 "type {}",
                 batch_number, Quoted(logical_->name()), logical_->type()->ToString());
  }
  // What comes off a connection begins wherever its message put it. The flat encoders do not mind.
  auto aligned = array;
  if (needs_alignment_) {
    ARROW_ASSIGN_OR_RAISE(aligned, arrow::util::EnsureAlignment(array, kAlignmentBytes, pool_));
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto stored,
      mapping_->ToStorage(
          arrow::RecordBatch::Make(logical_schema_, array->length(), arrow::ArrayVector{aligned}),
          pool_));
  return stored->column(0);
}

arrow::Status ColumnStrand::MakeEncoder(const arrow::ArrayVector& stored, const ColumnStep& step) {
  std::vector<arrow::ArrayVector> samples(leaves_.size());
  for (const auto& array : stored) {
    arrow::ArrayVector arrays;
    ARROW_RETURN_NOT_OK(CollectLeaves(array, pool_, &arrays));
    // A type that is stored in a way of its own is encoded without having been looked at.
    if (arrays.size() != leaves_.size()) continue;
    for (size_t i = 0; i < arrays.size(); ++i) samples[i].push_back(std::move(arrays[i]));
  }
  std::vector<LeafPlan> plans;
  for (size_t i = 0; i < leaves_.size(); ++i) {
    LeafPlan plan{.column = leaves_[i],
                  .page_bytes = settings_[i].page_bytes,
                  .dictionary_bytes_max = settings_[i].wish.dictionary_bytes_max};
    EncodingWish wish = settings_[i].wish;
    wish.row_group_rows = step.row_group_rows;
    if (!ChooseForDictionary(samples[i], wish, &plan.choice)) {
      ARROW_ASSIGN_OR_RAISE(plan.choice, ChooseEncoding(*leaves_[i], samples[i], step.rows, wish));
    }
    codecs_[i] = plan.choice.codec;
    plans.push_back(std::move(plan));
  }
  const auto& field = mapping_->storage_schema()->field(0);
  const arrow::DataType& type = *field->type();
  auto encoder = IsFlat(type)           ? MakeFlatColumnEncoder(plans.front(), field, pool_)
                 : IsNestedOfFlat(type) ? MakeNestedColumnEncoder(plans, field, pool_)
                                        : MakeArrowColumnEncoder(std::move(plans), field, pool_);
  ARROW_ASSIGN_OR_RAISE(encoder_, std::move(encoder));
  return arrow::Status::OK();
}

arrow::Status ColumnStrand::Append(const ColumnStep& step) {
  arrow::ArrayVector stored;
  for (size_t i = 0; i < step.arrays.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto array, ToStorage(step.arrays[i], step.batch_numbers[i]));
    stored.push_back(std::move(array));
  }
  if (encoder_ == nullptr) ARROW_RETURN_NOT_OK(MakeEncoder(stored, step));
  for (const auto& array : stored) ARROW_RETURN_NOT_OK(encoder_->Append(array));
  return arrow::Status::OK();
}

arrow::Result<std::vector<EncodedChunk>> ColumnStrand::EndRowGroup() {
  return encoder_->FinishRowGroup();
}

std::vector<ColumnCodec> ColumnStrand::codecs() const { return codecs_; }

}  // namespace hangar
