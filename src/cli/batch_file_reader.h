#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "cli/file_type.h"

namespace hangar::cli {

struct ReadFileOptions {
  std::string format;                   ///< As --format; empty: by the extension.
  std::vector<std::string> null_texts;  ///< In CSV, besides the empty field.
  /// The types to read a text file's columns as, by name, instead of guessing them.
  std::shared_ptr<arrow::Schema> expected;
};

/// A file as a stream of batches, in bounded memory.
///
/// The types of a text file's columns are guessed from its first 16 MiB. In CSV, an empty field is
/// null and "" is an empty string. All errors name the file.
struct BatchFile {
  std::shared_ptr<arrow::RecordBatchReader> batches;
  /// How much of it has been read, 0 to 1; nullopt where its end is not known. On the thread that
  /// reads the batches.
  std::function<std::optional<double>()> fraction;
};

/// The name under which standard input is given.
inline constexpr char kStandardStream[] = "-";

/// Opens a file; "-" is standard input, an Arrow stream unless the format says otherwise.
/// INVALID_ARGUMENT for a file that is not what it should be, NOT_FOUND for none.
arrow::Result<BatchFile> OpenBatchFile(const std::string& path, const ReadFileOptions& options);

/// All files one after the other, as one stream of the first one's schema. The schemas are compared
/// before anything is read: INVALID_ARGUMENT that names the file and the field that differs.
arrow::Result<BatchFile> OpenBatchFiles(const std::vector<std::string>& paths,
                                        const ReadFileOptions& options);

}  // namespace hangar::cli
