#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>
#include <parquet/properties.h>
#include <parquet/type_fwd.h>

#include "decode/column_decoder.h"

namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
class PageReader;
class ParquetFileReader;
}  // namespace parquet

// For tests of the decoders only: files of one column in all shapes, and what Arrow makes of them.

namespace hangar::testing {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;
using Random = std::mt19937_64;
using TypePtr = std::shared_ptr<arrow::DataType>;

inline int64_t Pick(Random& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

template <typename T>
const T& PickOf(Random& random, const std::vector<T>& values) {
  return values[static_cast<size_t>(Pick(random, 0, static_cast<int64_t>(values.size()) - 1))];
}

/// How a file is cut and compressed.
struct FileCut {
  parquet::Compression::type codec = parquet::Compression::UNCOMPRESSED;
  parquet::ParquetDataPageVersion page_version = parquet::ParquetDataPageVersion::V1;
  int64_t page_bytes = 1 << 20;
  int64_t page_rows = 20'000;
  int64_t dictionary_bytes = 1 << 20;
  int64_t row_group_rows = 1 << 20;
  bool nullable = true;  ///< What the field says of its column.
};
/// One of `codecs`, and the rest at random.
FileCut RandomCut(const std::vector<parquet::Compression::type>& codecs, Random& random);

/// The writer's properties that follow from the cut, with page checksums.
parquet::WriterProperties::Builder PropertiesOf(const FileCut& cut);

/// A file of the one column `c`. Fails the test on an error.
BufferPtr WriteFile(const ArrayPtr& column, const FileCut& cut,
                    parquet::WriterProperties::Builder& properties);

std::unique_ptr<parquet::ParquetFileReader> OpenFile(const BufferPtr& bytes,
                                                     bool checksums = false);

/// What Parquet's own reader makes of a row group.
arrow::Result<ArrayPtr> DecodeWithArrow(const BufferPtr& file, int row_group, bool checksums);

/// The pages of a column chunk; checksums are checked as reads of datasets do it.
std::unique_ptr<parquet::PageReader> OpenPages(const BufferPtr& bytes,
                                               const parquet::ColumnChunkMetaData& chunk,
                                               const parquet::ColumnDescriptor& column,
                                               bool checksums);

/// A decoder under test, with what it needs.
struct OpenDecoder {
  std::unique_ptr<parquet::ParquetFileReader> file;
  TypePtr type;
  int64_t rows = 0;
  std::unique_ptr<ColumnDecoder> decoder;
};

/// Also where both are NaN.
bool SameValues(const arrow::Array& a, const arrow::Array& b);

/// What is promised of every array beyond its values: no bitmap without nulls, buffers no larger
/// than they have to be, and aligned, zeros behind nulls.
void ExpectTidy(const arrow::ArrayData& data);

/// Reads the rest of a row group in random steps, with skips in between, and compares.
void ExpectRows(ColumnDecoder& decoder, const ArrayPtr& expected, int64_t step, Random& random);

/// A file of one row group with something changed before its footer.
BufferPtr Damage(const BufferPtr& file, Random& random);

}  // namespace hangar::testing
