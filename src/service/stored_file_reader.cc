#include "service/stored_file_reader.h"

#include <utility>

#include "service/caller_rates.h"

namespace hangar {
namespace {

class SnapshotFile final : public StoredFileReader {
 public:
  SnapshotFile(OpenSnapshot snapshot, CallerRates* rates, const Caller& caller)
      : description_(DescriptionOf(snapshot.snapshot)),
        reader_(std::move(snapshot.reader)),
        rates_(rates),
        caller_(caller) {}

  const DatasetDescription& description() const override { return description_; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(reader_->ReadAt(offset, length, out));
    ARROW_RETURN_NOT_OK(rates_->Pace(caller_, CallerRates::Direction::kOut, length));
    if (caller_.activity) caller_.activity->bytes_out += length;
    return arrow::Status::OK();
  }

  std::optional<int> DuplicateDescriptor() const override {
    if (rates_->is_limited()) return std::nullopt;
    return reader_->DuplicateDescriptor();
  }

 private:
  const DatasetDescription description_;
  const std::shared_ptr<ObjectReader> reader_;
  CallerRates* const rates_;
  const Caller caller_;
};

}  // namespace

std::unique_ptr<StoredFileReader> ReadStoredFile(OpenSnapshot snapshot, CallerRates* rates,
                                                 const Caller& caller) {
  return std::make_unique<SnapshotFile>(std::move(snapshot), rates, caller);
}

}  // namespace hangar
