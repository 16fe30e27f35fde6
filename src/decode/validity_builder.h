#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace hangar {

/// Makes the validity bitmap of an array of its definition levels, and none where nothing is null.
class ValidityBuilder {
 public:
  explicit ValidityBuilder(arrow::MemoryPool* pool) : pool_(pool) {}

  /// Begins anew, with room for so many slots once the first null comes; more may come as well.
  void Begin(int64_t slots);

  /// Adds `count` slots, valid ones where their level (at most 127) is at least `valid_level`, and
  /// gives how many those are.
  arrow::Result<int64_t> Append(const uint8_t* levels, int64_t count, int valid_level);

  int64_t length() const { return length_; }
  int64_t null_count() const { return null_count_; }
  /// The bitmap of what was added so far; null where there is none.
  const uint8_t* bits() const;

  /// The bitmap, none if all slots are valid. Begin comes next.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Finish();

 private:
  arrow::Status Reserve(int64_t slots);

  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::ResizableBuffer> bits_;
  int64_t room_ = 0;
  int64_t length_ = 0;
  int64_t null_count_ = 0;
};

/// How many of these levels are at least `level`.
int64_t CountAtLeast(const uint8_t* levels, int64_t count, int level);

}  // namespace hangar
