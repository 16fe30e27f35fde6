#include "service/upload_limits.h"

#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/key_value_metadata.h>

#include "base/error.h"

namespace hangar {
namespace {

constexpr int64_t kDictionaryBytesMax = 1LL << 30;

int64_t SizeOf(const std::shared_ptr<const arrow::KeyValueMetadata>& metadata) {
  int64_t bytes = 0;
  if (metadata == nullptr) return bytes;
  for (int64_t i = 0; i < metadata->size(); ++i) {
    bytes += static_cast<int64_t>(metadata->key(i).size() + metadata->value(i).size());
  }
  return bytes;
}

int64_t SizeOf(const arrow::DataType& type);

int64_t SizeOf(const arrow::Field& field) {
  int64_t bytes = static_cast<int64_t>(field.name().size()) + SizeOf(field.metadata());
  return bytes + SizeOf(*field.type());
}

// What fields that a type holds have of names and metadata. Arrow bounds the depth of a schema that
// comes over the wire.
int64_t SizeOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) {
    return SizeOf(*arrow::internal::checked_cast<const arrow::DictionaryType&>(type).value_type());
  }
  if (type.id() == arrow::Type::EXTENSION) {
    return SizeOf(*arrow::internal::checked_cast<const arrow::ExtensionType&>(type).storage_type());
  }
  int64_t bytes = 0;
  for (const auto& child : type.fields()) bytes += SizeOf(*child);
  return bytes;
}

struct BatchSize {
  int64_t bytes = 0;
  int64_t dictionary_bytes = 0;
};

// Children are counted with their parent, dictionaries apart.
void Add(const arrow::ArrayData& data, int64_t& bytes, int64_t& dictionary_bytes) {
  for (const auto& buffer : data.buffers) {
    if (buffer != nullptr) bytes += buffer->size();
  }
  for (const auto& child : data.child_data) Add(*child, bytes, dictionary_bytes);
  if (data.dictionary != nullptr) Add(*data.dictionary, dictionary_bytes, dictionary_bytes);
}

BatchSize SizeOf(const arrow::RecordBatch& batch) {
  BatchSize size;
  for (const auto& column : batch.column_data()) Add(*column, size.bytes, size.dictionary_bytes);
  return size;
}

class LimitedUpload final : public Upload {
 public:
  LimitedUpload(const UploadLimits& limits, std::unique_ptr<Upload> upload)
      : limits_(limits), upload_(std::move(upload)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    const BatchSize size = SizeOf(*batch);
    bytes_ += size.bytes;
    if (bytes_ > limits_.bytes) {
      return Error(ErrorKind::kResourceExhausted,
                   "the upload holds more than {} bytes, the most that this server takes in one "
                   "(its setting max_upload_bytes); put it as several datasets",
                   limits_.bytes);
    }
    if (size.dictionary_bytes > kDictionaryBytesMax) {
      return Error(ErrorKind::kResourceExhausted,
                   "the dictionaries of a batch hold {} bytes, of {} that they may have; send such "
                   "columns without dictionaries",
                   size.dictionary_bytes, kDictionaryBytesMax);
    }
    return upload_->Append(batch);
  }

  arrow::Result<UploadResult> Commit() override { return upload_->Commit(); }

 private:
  const UploadLimits limits_;
  const std::unique_ptr<Upload> upload_;
  int64_t bytes_ = 0;  // Received, without dictionaries.
};

}  // namespace

arrow::Status CheckSchemaWithin(const UploadLimits& limits, const arrow::Schema& schema) {
  if (schema.num_fields() > limits.columns) {
    return Error(ErrorKind::kInvalidArgument,
                 "the schema has {} columns; this server takes at most {} (its setting "
                 "max_columns)",
                 schema.num_fields(), limits.columns);
  }
  int64_t bytes = SizeOf(schema.metadata());
  for (const auto& field : schema.fields()) bytes += SizeOf(*field);
  if (bytes > limits.metadata_bytes) {
    return Error(ErrorKind::kInvalidArgument,
                 "the names and the metadata of the schema hold {} bytes; this server takes at "
                 "most {} (its setting max_metadata_bytes)",
                 bytes, limits.metadata_bytes);
  }
  return arrow::Status::OK();
}

std::unique_ptr<Upload> KeepWithin(const UploadLimits& limits, std::unique_ptr<Upload> upload) {
  return std::make_unique<LimitedUpload>(limits, std::move(upload));
}

}  // namespace hangar
