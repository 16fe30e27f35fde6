// Descriptors and criteria. The first byte says which: 'r' a read and 'u' an upload by a command,
// 'c' criteria, 'p' a path, its parts separated by NUL.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <arrow/flight/types.h>

#include "catalog/dataset_name.h"
#include "flight/command.h"
#include "flight/ticket.h"
#include "fuzz/require.h"

namespace hangar::fuzz {
namespace {

using arrow::flight::FlightDescriptor;

FlightDescriptor PathOf(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\0', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return FlightDescriptor::Path(std::move(parts));
}

void TryRead(const FlightDescriptor& descriptor) {
  const auto command = ParseReadDescriptor(descriptor);
  RequireInvalidArgument(command.status());
  if (!command.ok() || !DatasetName::Parse(command->read.dataset).ok()) return;
  const std::string ticket =
      EncodeTicket({.read = command->read, .compression = command->compression});
  const auto contents = DecodeTicket(ticket);
  Require(contents.ok(), "a read can be put into a ticket");
  Require(contents->read.columns == command->read.columns, "a ticket keeps the columns");
  Require(contents->read.limit_rows == command->read.limit_rows, "a ticket keeps the limit");
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace hangar;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  switch (bytes[0]) {
    case 'r':
      fuzz::TryRead(fuzz::FlightDescriptor::Command(text));
      break;
    case 'u':
      fuzz::RequireInvalidArgument(
          ParseUploadDescriptor(fuzz::FlightDescriptor::Command(text)).status());
      break;
    case 'c':
      fuzz::RequireInvalidArgument(ParseCriteria(text).status());
      break;
    case 'p':
      fuzz::TryRead(fuzz::PathOf(text));
      fuzz::RequireInvalidArgument(ParseUploadDescriptor(fuzz::PathOf(text)).status());
      break;
    default:
      break;
  }
  return 0;
}
