#include "write/size_limited_object.h"

#include <utility>

#include "base/error.h"

namespace hangar {
namespace {

class SizeLimitedObject final : public StagedObject {
 public:
  SizeLimitedObject(std::unique_ptr<StagedObject> staged, int64_t bytes_max)
      : staged_(std::move(staged)), bytes_max_(bytes_max) {}

  arrow::Status Append(const void* bytes, int64_t length) override {
    if (length > bytes_max_ - staged_->size_bytes()) {
      return Error(ErrorKind::kResourceExhausted,
                   "the upload's file grows beyond {} bytes, the most that this server stores as "
                   "one (its setting max_upload_bytes); put it as several datasets",
                   bytes_max_);
    }
    return staged_->Append(bytes, length);
  }

  int64_t size_bytes() const override { return staged_->size_bytes(); }
  void BeginEnd() override { staged_->BeginEnd(); }
  arrow::Status Seal() override { return staged_->Seal(); }
  arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() override {
    return staged_->OpenSealed();
  }
  arrow::Result<ObjectInfo> Publish(const std::string& key,
                                    const Precondition& precondition) override {
    return staged_->Publish(key, precondition);
  }

 private:
  const std::unique_ptr<StagedObject> staged_;
  const int64_t bytes_max_;
};

}  // namespace

std::unique_ptr<StagedObject> LimitSize(std::unique_ptr<StagedObject> staged, int64_t bytes_max) {
  return std::make_unique<SizeLimitedObject>(std::move(staged), bytes_max);
}

}  // namespace hangar
