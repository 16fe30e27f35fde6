#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/status.h>

#include "store/object_store.h"

namespace hangar {

// The checks and errors that are the same for every store, in kind and in words.

/// Whether `precondition` holds for `key`, where `current` is the object there or null. To be
/// called where no one else can change the key.
arrow::Status CheckPrecondition(const std::string& key, const Precondition& precondition,
                                const ObjectInfo* current);

/// NOT_FOUND.
arrow::Status NoSuchObject(const std::string& key);

/// NOT_FOUND: the version was never there, or is kept no longer.
arrow::Status NotRetired(const std::string& key, const std::string& version);

/// INVALID_ARGUMENT unless the range lies in the object.
arrow::Status CheckRange(const ObjectInfo& info, int64_t offset, int64_t length);

/// INTERNAL: a staged object was `used` in a way that its contract rules out.
arrow::Status UsedOutOfOrder(std::string_view used);

}  // namespace hangar
