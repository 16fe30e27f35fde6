#pragma once

#include <memory>

#include <arrow/io/type_fwd.h>

namespace hangar {

/// A column chunk's bytes for parquet::PageReader, which fail to be read where a page does not have
/// the checksum that its header holds. In place of PageReader's own check (to be turned off in its
/// properties), which takes several times as long. Pages without a checksum are taken as they are.
/// One thread at a time.
std::unique_ptr<arrow::io::InputStream> CheckPages(std::shared_ptr<arrow::io::InputStream> chunk);

}  // namespace hangar
