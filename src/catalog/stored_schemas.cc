#include "catalog/stored_schemas.h"

#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "schema/schema_metadata.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

// So many schemas are remembered, and none that is larger: 8 MiB or so in all.
constexpr size_t kSchemasMax = 64;
constexpr uint32_t kFooterBytesMax = 16 * 1024;

// What a schema may follow from; an upload's name differs from file to file and is not part of it.
std::shared_ptr<const arrow::KeyValueMetadata> MetadataOf(const parquet::FileMetaData& footer) {
  return WithoutKey(footer.key_value_metadata(), kUploadIdKey);
}

size_t HashOf(const parquet::FileMetaData& footer) {
  size_t hash = static_cast<size_t>(footer.num_columns());
  const auto metadata = MetadataOf(footer);
  if (metadata == nullptr) return hash;
  for (const std::string& value : metadata->values()) {
    hash = hash * 31 + std::hash<std::string_view>()(value);
  }
  return hash;
}

bool HaveOneSchema(const parquet::FileMetaData& a, const parquet::FileMetaData& b) {
  const auto metadata = MetadataOf(a);
  const auto other = MetadataOf(b);
  if ((metadata == nullptr) != (other == nullptr)) return false;
  // Key by key in this order: that is how a reader takes them.
  if (metadata != nullptr &&
      (metadata->keys() != other->keys() || metadata->values() != other->values())) {
    return false;
  }
  return a.schema()->schema_root()->Equals(b.schema()->schema_root().get());
}

}  // namespace

std::shared_ptr<const StoredSchema> StoredSchemas::Find(const parquet::FileMetaData& footer,
                                                        size_t hash) {
  MutexLock lock(mutex_);
  for (auto known = known_.begin(); known != known_.end(); ++known) {
    if (known->hash != hash || !HaveOneSchema(*known->example, footer)) continue;
    known_.splice(known_.begin(), known_, known);
    return known->schema;
  }
  return nullptr;
}

void StoredSchemas::Keep(Known known) {
  MutexLock lock(mutex_);
  known_.push_front(std::move(known));
  if (known_.size() > kSchemasMax) known_.pop_back();
}

arrow::Result<StoredSchemas::Read> StoredSchemas::Of(
    std::shared_ptr<parquet::FileMetaData> footer) {
  const size_t hash = HashOf(*footer);
  if (auto schema = Find(*footer, hash)) return Read{std::move(footer), std::move(schema)};
  ARROW_ASSIGN_OR_RAISE(auto readable, ReadableFooter(footer));
  ARROW_ASSIGN_OR_RAISE(ReadMapping mapping, MakeReadMapping(*readable));
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::SerializeSchema(*mapping.logical_schema));
  auto schema = std::make_shared<const StoredSchema>(
      StoredSchema{.logical_schema = std::move(mapping.logical_schema),
                   .read_schema = std::move(mapping.read_schema),
                   .ipc_schema = std::make_shared<const std::string>(message->ToString())});
  // A footer that had to be changed to be readable is worked out each time.
  if (readable == footer && footer->size() <= kFooterBytesMax) {
    Keep({.hash = hash, .example = footer->Subset({}), .schema = schema});
  }
  return Read{std::move(readable), std::move(schema)};
}

}  // namespace hangar
