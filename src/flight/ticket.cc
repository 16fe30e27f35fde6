#include "flight/ticket.h"

#include <format>
#include <string_view>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "flight/json_text.h"
#include "text/json_object.h"

namespace hangar {
namespace {

// The first byte also tells the encoding, should there be another one day.
constexpr char kEncodingJson = '\x01';
constexpr size_t kChecksumDigits = 16;

std::string Checksum(std::string_view text) {
  return std::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

arrow::Status NotATicket() {
  return MakeError(ErrorKind::kInvalidArgument,
                   "this is not a ticket of this server: take tickets as they come from "
                   "GetFlightInfo, or give a dataset's name");
}

}  // namespace

std::string EncodeTicket(const TicketContents& contents) {
  const ReadRequest& read = contents.read;
  JsonText object;
  object.Add("d", read.dataset).Add("o", read.offset_rows);
  if (read.version) object.Add("v", *read.version);
  if (read.columns) object.Add("c", *read.columns);
  if (read.limit_rows) object.Add("l", *read.limit_rows);
  if (contents.compression != WireCompression::kNone) {
    object.Add("z", WireCompressionName(contents.compression));
  }
  if (contents.file) {
    object.Add("b", contents.file->offset_bytes).Add("n", contents.file->length_bytes);
  }
  // Names are valid UTF-8 by now; columns come from the client's JSON, which is.
  const std::string text = object.Take();
  return kEncodingJson + Checksum(text) + text;
}

arrow::Result<TicketContents> DecodeTicket(const std::string& ticket) {
  TicketContents contents;
  if (!ticket.starts_with(kEncodingJson)) {
    if (ticket.empty()) return NotATicket();
    contents.read.dataset = ticket;
    return contents;
  }
  const std::string_view rest = std::string_view(ticket).substr(1);
  if (rest.size() <= kChecksumDigits) return NotATicket();
  const std::string_view text = rest.substr(kChecksumDigits);
  if (rest.substr(0, kChecksumDigits) != Checksum(text)) return NotATicket();
  ARROW_ASSIGN_OR_RAISE(auto object, JsonObject::Parse(text, "the ticket"));
  ARROW_ASSIGN_OR_RAISE(contents.read.dataset, object.TakeRequiredString("d"));
  ARROW_ASSIGN_OR_RAISE(contents.read.version, object.TakeString("v"));
  ARROW_ASSIGN_OR_RAISE(contents.read.columns, object.TakeStrings("c"));
  ARROW_ASSIGN_OR_RAISE(const auto offset, object.TakeInteger("o"));
  ARROW_ASSIGN_OR_RAISE(contents.read.limit_rows, object.TakeInteger("l"));
  ARROW_ASSIGN_OR_RAISE(const auto compression, object.TakeString("z"));
  ARROW_ASSIGN_OR_RAISE(const auto file_offset, object.TakeInteger("b"));
  ARROW_ASSIGN_OR_RAISE(const auto file_length, object.TakeInteger("n"));
  ARROW_RETURN_NOT_OK(object.Finish());
  contents.read.offset_rows = offset.value_or(0);
  if (file_offset.has_value() != file_length.has_value()) return NotATicket();
  if (file_offset) contents.file = {.offset_bytes = *file_offset, .length_bytes = *file_length};
  if (compression) {
    ARROW_ASSIGN_OR_RAISE(contents.compression, ParseWireCompression(*compression));
  }
  return contents;
}

}  // namespace hangar
