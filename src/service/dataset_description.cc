#include "service/dataset_description.h"

#include "base/error.h"
#include "catalog/catalog.h"
#include "read/scan_plan.h"

namespace hangar {

arrow::Status CallerIsGone() {
  return MakeError(ErrorKind::kCancelled, "the caller cancelled the call or went away");
}

DatasetDescription DescriptionOf(const Snapshot& snapshot, const HiddenColumns& hidden) {
  DatasetDescription description{.name = snapshot.object.key,
                                 .version = snapshot.object.version,
                                 .modified = snapshot.object.modified,
                                 .rows = snapshot.footer->rows,
                                 .bytes = snapshot.object.size_bytes,
                                 .row_groups = snapshot.footer->row_groups,
                                 .schema = snapshot.footer->logical_schema,
                                 .ipc_schema = snapshot.footer->ipc_schema,
                                 .retired = {}};
  if (!hidden.empty()) {
    description.schema = VisibleSchema(
        description.schema, [&](std::string_view column) { return hidden.Hides(column); });
    if (description.schema != snapshot.footer->logical_schema) description.ipc_schema = nullptr;
  }
  if (snapshot.retired) {
    description.retired = snapshot.retired->time;
    description.dropped = snapshot.retired->by == RetiredBy::kDropped;
  }
  return description;
}

}  // namespace hangar
