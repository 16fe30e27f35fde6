#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "http/dataset_format.h"

namespace arrow {
class RecordBatchReader;
namespace io {
class InputStream;
}
}  // namespace arrow

namespace hangar {

/// How text is read as values.
struct TextReadOptions {
  std::vector<std::string> null_values;  ///< Of CSV, beside nothing at all.
};

/// Reads batches from a stream of an Arrow stream, CSV or JSON lines; with a thread of its own for
/// the latter two, of which up to 40 MiB are read ahead. Types of text are guessed from its first
/// 4 MiB; a line is shorter than 1 MiB. INVALID_ARGUMENT, here and from the reader, for what is not
/// of the format.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> OpenRowReader(
    DatasetFormat format, std::shared_ptr<arrow::io::InputStream> stream,
    const TextReadOptions& options);

}  // namespace hangar
