#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <arrow/result.h>

#include "flight/command.h"
#include "service/dataset_service.h"

namespace hangar {

/// Bytes of a stored file.
struct FileRange {
  int64_t offset_bytes = 0;
  int64_t length_bytes = 0;
};

/// What a ticket redeems: a read that is pinned to a version.
struct TicketContents {
  ReadRequest read;
  WireCompression compression = WireCompression::kNone;
  std::optional<FileRange> file = {};  ///< Of the version's file, instead of rows.
};

/// The ticket's bytes: self-contained, so that any server over the same store can redeem it, and
/// opaque to clients. A control character first, which no dataset's name has, then a checksum and
/// JSON.
std::string EncodeTicket(const TicketContents& contents);

/// The contents of an encoded ticket, or of a ticket that is just a dataset's name, which reads it
/// whole in its current version. INVALID_ARGUMENT for anything else.
arrow::Result<TicketContents> DecodeTicket(const std::string& ticket);

}  // namespace hangar
