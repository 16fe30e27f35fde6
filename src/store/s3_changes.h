#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "store/object_store.h"
#include "store/s3_bucket.h"
#include "store/s3_history.h"

namespace hangar {

/// Conditional changes of single keys. Each looks what is there, keeps that as past where the past
/// is kept, and then lets the bucket decide whether it is still there: of two changes of one
/// version one wins, whoever makes them. Thread-safe, and between processes.
class S3Changes {
 public:
  S3Changes(std::shared_ptr<const S3Bucket> bucket, bool keeps_past)
      : bucket_(bucket), history_(std::move(bucket)), keeps_past_(keeps_past) {}

  const S3History& history() const { return history_; }

  /// Writes the new object under a condition.
  using Write = std::function<arrow::Result<S3Object>(const S3Condition& condition)>;

  /// Replaces what is at the key, or makes it. UNAVAILABLE when others change it all the time.
  arrow::Result<ObjectInfo> Replace(const std::string& key, const Precondition& precondition,
                                    const Write& write) const;

  /// Takes the object away. Gives the name of its copy in the history, empty when the past is not
  /// kept and `needs_copy` is false.
  arrow::Result<std::string> Take(const std::string& key, const Precondition& precondition,
                                  bool needs_copy) const;

 private:
  bool StaysThere(const std::string& key) const;

  const std::shared_ptr<const S3Bucket> bucket_;
  const S3History history_;
  const bool keeps_past_;
};

}  // namespace hangar
