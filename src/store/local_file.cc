#include "store/local_file.h"

#include <fcntl.h>

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/local_error.h"
#include "store/local_root.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

class LocalReader final : public ObjectReader {
 public:
  LocalReader(UniqueDescriptor file, ObjectInfo info)
      : file_(std::move(file)),
        info_(std::move(info)),
        subject_(info_.key.empty() ? "the upload" : Quoted(info_.key)) {}

  const ObjectInfo& info() const override { return info_; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info_, offset, length));
    const auto count = ReadFully(file_.get(), offset, length, out);
    if (!count) return LocalError(count.error(), Attempt::kRead, subject_);
    const auto state = StatDescriptor(file_.get());
    if (!state) return LocalError(state.error(), Attempt::kRead, subject_);
    if (*count < length || InfoOf({}, *state).version != info_.version) {
      return Error(ErrorKind::kDataLoss, "{} was changed by another program while it was read",
                   subject_);
    }
    return arrow::Status::OK();
  }

  std::optional<int> DuplicateDescriptor() const override {
    const int copy = ::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return std::nullopt;
    return copy;
  }

 private:
  const UniqueDescriptor file_;
  const ObjectInfo info_;
  const std::string subject_;
};

}  // namespace

std::unique_ptr<ObjectReader> MakeLocalReader(UniqueDescriptor file, ObjectInfo info) {
  return std::make_unique<LocalReader>(std::move(file), std::move(info));
}

}  // namespace hangar
