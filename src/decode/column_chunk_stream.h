#pragma once

#include <cstdint>
#include <memory>

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include "store/object_store.h"

namespace hangar {

/// The bytes [offset, offset + length) of an object as a stream that reads a page's header and body
/// in one go: it reads as much at a time as the page before took, so that a column chunk is never
/// in memory whole, and a page that was read whole is given out without a copy. One thread at a
/// time.
std::unique_ptr<arrow::io::InputStream> OpenColumnChunkStream(std::shared_ptr<ObjectReader> reader,
                                                              int64_t offset, int64_t length,
                                                              arrow::MemoryPool* pool);

}  // namespace hangar
