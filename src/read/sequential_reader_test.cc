#include "read/sequential_reader.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/error.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

constexpr int64_t kStep = 1 << 20;

class CountedReader final : public ObjectReader {
 public:
  explicit CountedReader(int64_t size) : bytes_(static_cast<size_t>(size), '\0') {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i % 251);
    info_ = {.key = "t", .version = "v", .size_bytes = size};
  }
  const ObjectInfo& info() const override { return info_; }
  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info_, offset, length));
    ++requests;
    bytes_read += length;
    std::memcpy(out, bytes_.data() + offset, static_cast<size_t>(length));
    return arrow::Status::OK();
  }
  const std::string& bytes() const { return bytes_; }

  std::atomic<int> requests = 0;
  std::atomic<int64_t> bytes_read = 0;

 private:
  std::string bytes_;
  ObjectInfo info_;
};

class SequentialReaderTest : public ::testing::Test {
 protected:
  std::string Read(ObjectReader& reader, int64_t offset, int64_t length) {
    std::string bytes(static_cast<size_t>(length), '?');
    EXPECT_TRUE(reader.ReadAt(offset, length, bytes.data()).ok());
    return bytes;
  }

  const std::shared_ptr<CountedReader> behind_ = std::make_shared<CountedReader>(40 << 20);
  RangeFetcher fetcher_{{.threads = 4, .ahead = {.all_bytes = 64 << 20, .read_bytes = 16 << 20}}};
  std::shared_ptr<ObjectReader> reader_ = ReadSequentially(behind_, &fetcher_);
};

TEST_F(SequentialReaderTest, FromFrontToBackTakesFewRequestsForTheSameBytes) {
  std::string read;
  for (int64_t offset = 0; offset < behind_->info().size_bytes; offset += kStep) {
    read += Read(*reader_, offset, kStep);
  }
  EXPECT_EQ(read, behind_->bytes());
  EXPECT_LE(behind_->requests, 20);  // Of 40 reads.
  EXPECT_EQ(behind_->bytes_read, behind_->info().size_bytes);
}

TEST_F(SequentialReaderTest, OneReadFetchesWhatItAsksForAndNoMore) {
  EXPECT_EQ(Read(*reader_, 5 << 20, kStep), behind_->bytes().substr(5 << 20, kStep));
  EXPECT_EQ(behind_->bytes_read, kStep);
}

TEST_F(SequentialReaderTest, AShortRunFetchesNotMuchAhead) {
  for (int64_t offset = 0; offset < 3 * kStep; offset += kStep) Read(*reader_, offset, kStep);
  reader_ = nullptr;
  EXPECT_LE(behind_->bytes_read, 20 * kStep);
}

TEST_F(SequentialReaderTest, ReadsHereAndThereAreRight) {
  for (const int64_t offset : {0, 1, 3, 2, 3, 4, 20, 21, 7}) {
    EXPECT_EQ(Read(*reader_, offset * kStep + 13, kStep),
              behind_->bytes().substr(static_cast<size_t>(offset * kStep + 13), kStep));
  }
}

TEST_F(SequentialReaderTest, BeyondTheEndIsWrong) {
  char byte = 0;
  EXPECT_EQ(KindOf(reader_->ReadAt(behind_->info().size_bytes, 1, &byte)),
            ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace hangar
