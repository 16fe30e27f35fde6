#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "store/object_store.h"

namespace arrow::io {
class RandomAccessFile;
}

namespace hangar {

/// One version of an object as the file that Arrow's readers take. Errors of the store come through
/// them unchanged. Thread-safe for ReadAt; buffers come from `pool`, which must outlive them.
std::shared_ptr<arrow::io::RandomAccessFile> OpenAsFile(std::shared_ptr<ObjectReader> reader,
                                                        arrow::MemoryPool* pool);

}  // namespace hangar
