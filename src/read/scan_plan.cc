#include "read/scan_plan.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/metadata.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

// What a wrong column's error lists of the right ones.
constexpr size_t kColumnsNamedMax = 8;

std::string SomeColumns(const arrow::Schema& schema, const std::vector<int>& visible) {
  std::string names;
  for (size_t i = 0; i < visible.size() && i < kColumnsNamedMax; ++i) {
    names += (i == 0 ? "" : ", ") + Quoted(schema.field(visible[i])->name());
  }
  if (visible.size() > kColumnsNamedMax) names += ", ...";
  return names;
}

std::vector<int> VisibleFields(const arrow::Schema& schema,
                               const std::function<bool(std::string_view column)>& hides) {
  std::vector<int> fields;
  fields.reserve(static_cast<size_t>(schema.num_fields()));
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (!hides || !hides(schema.field(i)->name())) fields.push_back(i);
  }
  return fields;
}

arrow::Result<std::vector<int>> FindFields(const arrow::Schema& schema,
                                           const std::vector<int>& visible,
                                           const std::vector<std::string>& columns,
                                           const ScanRequest& request) {
  std::vector<int> fields;
  std::unordered_set<std::string> seen;
  for (const std::string& name : columns) {
    if (!seen.insert(name).second) {
      return Error(ErrorKind::kInvalidArgument, "column {} is asked for twice", Quoted(name));
    }
    const std::vector<int> found = schema.GetAllFieldIndices(name);
    // In the same words for one that is hidden.
    if (found.empty() || (request.hides && request.hides(name))) {
      return Error(ErrorKind::kInvalidArgument, "there is no column {}; the columns are {}",
                   Quoted(name), SomeColumns(schema, visible));
    }
    if (found.size() > 1) {
      return Error(ErrorKind::kInvalidArgument,
                   "{} columns are named {}; columns of one name can only be read together, "
                   "by asking for all columns",
                   found.size(), Quoted(name));
    }
    fields.push_back(found[0]);
  }
  return fields;
}

std::shared_ptr<arrow::Schema> SelectFields(
    const arrow::Schema& schema, const std::vector<int>& fields,
    std::shared_ptr<const arrow::KeyValueMetadata> metadata) {
  arrow::FieldVector selected;
  selected.reserve(fields.size());
  for (const int field : fields) selected.push_back(schema.field(field));
  return arrow::schema(std::move(selected), schema.endianness(), std::move(metadata));
}

// Which fields a scan gives, and as which schema.
arrow::Status PlanFields(const std::shared_ptr<arrow::Schema>& schema, const ScanRequest& request,
                         ScanPlan* plan) {
  std::vector<int> visible = VisibleFields(*schema, request.hides);
  const bool is_all_visible = visible.size() == static_cast<size_t>(schema->num_fields());
  const auto metadata = is_all_visible ? schema->metadata() : nullptr;
  if (request.columns) {
    ARROW_ASSIGN_OR_RAISE(plan->fields, FindFields(*schema, visible, *request.columns, request));
  } else {
    plan->fields = std::move(visible);
  }
  const bool is_whole = is_all_visible && !request.columns;
  plan->schema = is_whole ? schema : SelectFields(*schema, plan->fields, metadata);
  return arrow::Status::OK();
}

}  // namespace

std::shared_ptr<arrow::Schema> VisibleSchema(
    const std::shared_ptr<arrow::Schema>& schema,
    const std::function<bool(std::string_view column)>& hides) {
  const std::vector<int> visible = VisibleFields(*schema, hides);
  if (visible.size() == static_cast<size_t>(schema->num_fields())) return schema;
  return SelectFields(*schema, visible, nullptr);
}

arrow::Result<ScanPlan> PlanScan(const Footer& footer, const ScanRequest& request) {
  if (request.offset_rows < 0) {
    return Error(ErrorKind::kInvalidArgument, "the offset is {}; it cannot be negative",
                 request.offset_rows);
  }
  if (request.limit_rows.value_or(0) < 0) {
    return Error(ErrorKind::kInvalidArgument, "the limit is {}; it cannot be negative",
                 *request.limit_rows);
  }
  ScanPlan plan;
  ARROW_RETURN_NOT_OK(PlanFields(footer.logical_schema, request, &plan));
  const int64_t begin = std::min(request.offset_rows, footer.rows);
  const int64_t rows_wanted =
      std::min(request.limit_rows.value_or(footer.rows), footer.rows - begin);
  const int64_t end = begin + rows_wanted;
  int64_t row_group_begin = 0;
  for (int i = 0; i < footer.row_groups && row_group_begin < end; ++i) {
    const int64_t row_group_end = row_group_begin + footer.metadata->RowGroup(i)->num_rows();
    const int64_t slice_begin = std::max(begin, row_group_begin);
    const int64_t slice_end = std::min(end, row_group_end);
    if (slice_begin < slice_end) {
      plan.slices.push_back({i, slice_begin - row_group_begin, slice_end - slice_begin});
    }
    row_group_begin = row_group_end;
  }
  plan.rows = rows_wanted;
  return plan;
}

std::vector<ScanPartition> Partition(const Footer& footer, const ScanPlan& plan,
                                     int64_t partitions_max) {
  const auto slices = static_cast<int64_t>(plan.slices.size());
  const int64_t count = std::clamp<int64_t>(partitions_max, 1, std::max<int64_t>(slices, 1));
  int64_t offset = 0;
  if (!plan.slices.empty()) {
    for (int i = 0; i < plan.slices.front().row_group; ++i) {
      offset += footer.metadata->RowGroup(i)->num_rows();
    }
    offset += plan.slices.front().first_row;
  }
  std::vector<ScanPartition> partitions;
  int64_t rows_given = 0;
  size_t next = 0;
  for (int64_t part = 1; part <= count; ++part) {
    ScanPartition partition{.offset_rows = offset + rows_given};
    const int64_t rows_until = plan.rows / count * part + plan.rows % count * part / count;
    // Every part takes at least one row group and leaves one for each part after it.
    while (next < plan.slices.size()) {
      const int64_t left = slices - static_cast<int64_t>(next);
      if (left <= count - part) break;
      if (partition.row_groups > 0 && part < count && rows_given >= rows_until) break;
      const RowGroupSlice& slice = plan.slices[next++];
      if (partition.row_groups == 0) partition.first_row_group = slice.row_group;
      const auto row_group = footer.metadata->RowGroup(slice.row_group);
      const double share = static_cast<double>(slice.rows) /
                           static_cast<double>(std::max<int64_t>(row_group->num_rows(), 1));
      partition.bytes += static_cast<int64_t>(
          static_cast<double>(std::max<int64_t>(row_group->total_compressed_size(), 0)) * share);
      partition.rows += slice.rows;
      rows_given += slice.rows;
      ++partition.row_groups;
    }
    partitions.push_back(partition);
  }
  return partitions;
}

}  // namespace hangar
