// Tickets: the input as one, and the input as the text of one whose checksum is right.

#include <cstddef>
#include <cstdint>
#include <format>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "catalog/dataset_name.h"
#include "flight/ticket.h"
#include "fuzz/require.h"

namespace hangar::fuzz {
namespace {

// As EncodeTicket makes them; were it done otherwise, the seeds would be refused.
std::string WithChecksum(const std::string& text) {
  return std::format("\x01{:016x}{}", XXH3_64bits(text.data(), text.size()), text);
}

void Try(const std::string& ticket) {
  const auto contents = DecodeTicket(ticket);
  RequireInvalidArgument(contents.status());
  // Only what was described is encoded, so that the name is valid.
  if (!contents.ok() || !DatasetName::Parse(contents->read.dataset).ok()) return;
  const std::string encoded = EncodeTicket(*contents);
  const auto again = DecodeTicket(encoded);
  Require(again.ok(), "a ticket of this server's is one");
  Require(EncodeTicket(*again) == encoded, "a ticket says what was put into it");
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string input(reinterpret_cast<const char*>(bytes), size);
  hangar::fuzz::Try(input);
  hangar::fuzz::Try(hangar::fuzz::WithChecksum(input));
  return 0;
}
