#include "schema/schema_metadata.h"

#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <arrow/util/key_value_metadata.h>

namespace hangar {

using arrow::KeyValueMetadata;
using arrow::Result;

Result<std::string> EncodeSchema(const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::ipc::SerializeSchema(schema));
  return arrow::util::base64_encode(std::string_view(*bytes));
}

Result<std::shared_ptr<arrow::Schema>> DecodeSchema(std::string_view encoded) {
  ARROW_ASSIGN_OR_RAISE(std::string bytes, arrow::util::base64_decode(encoded));
  arrow::io::BufferReader input(arrow::Buffer::FromString(std::move(bytes)));
  arrow::ipc::DictionaryMemo memo;
  return arrow::ipc::ReadSchema(&input, &memo);
}

std::shared_ptr<arrow::Schema> FindSchema(const std::shared_ptr<const KeyValueMetadata>& metadata,
                                          std::string_view key) {
  if (metadata == nullptr) return nullptr;
  const int index = metadata->FindKey(key);
  if (index < 0) return nullptr;
  return DecodeSchema(metadata->value(index)).ValueOr(nullptr);
}

std::shared_ptr<const KeyValueMetadata> WithoutKey(
    const std::shared_ptr<const KeyValueMetadata>& metadata, std::string_view key) {
  if (metadata == nullptr || metadata->FindKey(key) < 0) return metadata;
  auto kept = std::make_shared<KeyValueMetadata>();
  for (int64_t i = 0; i < metadata->size(); ++i) {
    if (metadata->key(i) != key) kept->Append(metadata->key(i), metadata->value(i));
  }
  return kept->size() > 0 ? kept : nullptr;
}

std::shared_ptr<const KeyValueMetadata> WithoutInternalKeys(
    const std::shared_ptr<const KeyValueMetadata>& metadata) {
  return WithoutKey(WithoutKey(WithoutKey(metadata, kArrowSchemaKey), kLogicalSchemaKey),
                    kUploadIdKey);
}

std::shared_ptr<const KeyValueMetadata> WithKey(
    const std::shared_ptr<const KeyValueMetadata>& metadata, std::string_view key,
    std::string value) {
  const auto others = WithoutKey(metadata, key);
  auto with = others == nullptr ? std::make_shared<KeyValueMetadata>() : others->Copy();
  with->Append(std::string(key), std::move(value));
  return with;
}

}  // namespace hangar
