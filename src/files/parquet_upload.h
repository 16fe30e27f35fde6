#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include "base/unique_descriptor.h"

namespace hangar {

class Sha256;

/// A local Parquet file on its way to a server, from its first byte to its last. Its end is an
/// error when the file is not what it was when it was opened, so that nothing is stored that mixes
/// two states of it. One thread at a time.
class ParquetUpload final : public arrow::io::InputStream {
 public:
  /// INVALID_ARGUMENT when it is no regular file, or not Parquet by its first and last bytes (the
  /// server looks closer); NOT_FOUND when there is none. `digest`, where there is one, is given all
  /// that is read and has to live as long.
  static arrow::Result<std::unique_ptr<ParquetUpload>> Open(const std::string& path,
                                                            Sha256* digest = nullptr);

  int64_t size_bytes() const { return state_.st_size; }
  /// When the file was last written to, in ns since the epoch.
  int64_t modified_ns() const;

  arrow::Status Close() override;
  bool closed() const override;
  arrow::Result<int64_t> Tell() const override;
  arrow::Result<int64_t> Read(int64_t length, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t length) override;

 private:
  ParquetUpload(std::string path, UniqueDescriptor file, const struct stat& state, Sha256* digest);

  arrow::Status CheckIsParquet() const;
  arrow::Status CheckIsUnchanged() const;

  const std::string path_;
  const UniqueDescriptor file_;
  const struct stat state_;
  Sha256* const digest_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace hangar
