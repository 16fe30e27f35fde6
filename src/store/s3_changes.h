#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/mutex.h"
#include "store/object_store.h"
#include "store/s3_bucket.h"
#include "store/s3_history.h"

namespace hangar {

/// Conditional changes of single keys. Each looks what is there, keeps that as past where the past
/// is kept, and then lets the bucket decide whether it is still there: of two changes of one
/// version one wins, whoever makes them. Thread-safe, and between processes.
///
/// Where the bucket cannot decide, only one process may change it: changes of one key then wait for
/// each other, and what was looked at stays as it is until it is changed.
class S3Changes {
 public:
  S3Changes(std::shared_ptr<const S3Bucket> bucket, bool keeps_past, bool is_single_writer)
      : bucket_(bucket),
        history_(std::move(bucket)),
        keeps_past_(keeps_past),
        is_single_writer_(is_single_writer) {}

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
  std::unique_lock<Mutex> LockIfSingle(const std::string& key) const;
  arrow::Result<S3Object> WriteOver(const S3Bucket::Current& current, const Write& write) const;
  arrow::Status Remove(const std::string& key, const S3Bucket::Current& current) const;
  void TakeBack(const std::string& past, const arrow::Status& failure) const;
  bool StaysThere(const std::string& key) const;

  const std::shared_ptr<const S3Bucket> bucket_;
  const S3History history_;
  const bool keeps_past_;
  const bool is_single_writer_;
  mutable std::array<Mutex, 256> mutexes_;  // Of the only writer, by the key's hash.
};

}  // namespace hangar
