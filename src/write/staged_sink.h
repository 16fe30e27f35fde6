#pragma once

#include <cstdint>

#include <arrow/io/interfaces.h>

#include "store/object_store.h"

namespace hangar {

/// A staged object as the sink that Arrow's writers take. Errors of the store come through
/// unchanged. One thread at a time; the staged object must outlive it.
class StagedSink final : public arrow::io::OutputStream {
 public:
  explicit StagedSink(StagedObject* staged) : staged_(staged) {}

  /// From now on writes fail at once: a Parquet writer that is destroyed early still tries to write
  /// what it holds.
  void Abandon() { staged_ = nullptr; }

  arrow::Status Write(const void* bytes, int64_t length) override {
    if (staged_ == nullptr) return arrow::Status::Cancelled("the upload was abandoned");
    ARROW_RETURN_NOT_OK(staged_->Append(bytes, length));
    position_ += length;
    return arrow::Status::OK();
  }
  using arrow::io::OutputStream::Write;

  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

 private:
  StagedObject* staged_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace hangar
