#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <arrow/status.h>

#include "base/error.h"
#include "base/text.h"

// What the fuzzers hold to be true whatever the input is. Where it is not, the program aborts,
// which libFuzzer and the replays take for a finding.

namespace hangar::fuzz {

inline void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline void RequireOk(const arrow::Status& status) { Require(status.ok(), status.ToString()); }

/// An error has a kind of its own and a sentence that any client can take.
inline void RequireFitForClients(const arrow::Status& status) {
  if (status.ok()) return;
  Require(KindOf(status) != ErrorKind::kInternal, status.ToString());
  Require(IsValidUtf8(status.message()), "an error's sentence is UTF-8");
}

/// The same, of an error that only the input can be the reason of.
inline void RequireInvalidArgument(const arrow::Status& status) {
  RequireFitForClients(status);
  Require(status.ok() || KindOf(status) == ErrorKind::kInvalidArgument, status.ToString());
}

}  // namespace hangar::fuzz
