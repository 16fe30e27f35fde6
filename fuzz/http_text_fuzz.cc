// What the HTTP door reads of requests, header by header. The first byte of the input says which
// text the rest is.

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/trace_context.h"
#include "catalog/dataset_name.h"
#include "fuzz/require.h"
#include "http/accept.h"
#include "http/byte_range.h"
#include "http/dataset_format.h"
#include "http/header_text.h"
#include "http/http_date.h"
#include "http/preconditions.h"
#include "http/routes.h"
#include "http/target.h"

namespace hangar::fuzz {
namespace {

constexpr HttpTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)};

std::string Rebuilt(const HttpTarget& target) {
  std::string text = target.path;
  char separator = '?';
  for (const auto& [name, value] : target.query) {
    text += separator + PercentEncode(name, false) + "=" + PercentEncode(value, true);
    separator = '&';
  }
  return text;
}

void TryTarget(std::string_view text) {
  const auto target = ParseHttpTarget(text);
  RequireInvalidArgument(target.status());
  if (!target.ok()) return;
  Require(target->path == "*" || target->path.starts_with('/'), "a path is one");
  for (const auto& [name, value] : target->query) {
    Require(IsValidUtf8(name) && IsValidUtf8(value), "a query is text");
  }
  const auto again = ParseHttpTarget(Rebuilt(*target));
  RequireOk(again.status());
  Require(again->path == target->path && again->query == target->query, "a query comes back");
  for (const std::string_view method : {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}) {
    const auto found = FindRoute(HttpRoutes(), method, target->path);
    RequireInvalidArgument(found.status());
    if (!found.ok() || found->route == nullptr) continue;
    Require(std::ranges::contains(found->methods, method), "a method that is answered is told");
    RequireInvalidArgument(CheckQuery(*found->route, {.query = target->query}));
  }
}

void TryName(std::string_view text) {
  if (!DatasetName::Parse(std::string(text)).ok()) return;
  const auto target = ParseHttpTarget(DatasetPath(text));
  RequireOk(target.status());
  Require(target->path == DatasetPath(text) && target->query.empty(), "a name is a path alone");
  const auto found = FindRoute(HttpRoutes(), "GET", target->path);
  RequireOk(found.status());
  Require(found->route != nullptr && found->route->operation == "GetDataset" && found->name == text,
          "a dataset is where its path says");
}

bool AreApart(const ByteRange& a, const ByteRange& b) {
  return a.offset + a.length < b.offset || b.offset + b.length < a.offset;
}

// A file's size, a space, and the header.
void TryRange(std::string_view text) {
  int64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || size < 0 || !text.starts_with(' ')) return;
  const RequestedRanges ranges = ParseRange(text, size);
  if (ranges.kind != RequestedRanges::Kind::kParts) return;
  Require(!ranges.parts.empty() && ranges.parts.size() <= kRangesMax, "there are some parts");
  std::string header;
  for (size_t i = 0; i < ranges.parts.size(); ++i) {
    const ByteRange& part = ranges.parts[i];
    Require(part.offset >= 0 && part.length > 0 && part.length <= size - part.offset,
            "a part is of the file");
    for (size_t j = 0; j < i; ++j) Require(AreApart(part, ranges.parts[j]), "no byte comes twice");
    const std::string said = ContentRange(part, size);
    header += (i == 0 ? "bytes=" : ",") + said.substr(6, said.find('/') - 6);
  }
  Require(ParseRange(header, size).parts == ranges.parts, "parts that were asked for come so");
}

void TryAccept(const std::string& text) {
  constexpr std::array kOffered = {kParquetType,   kBytesType,  kArrowStreamType,
                                   kJsonLinesType, kNdjsonType, kCsvType};
  const auto chosen = ChooseMediaType(text, kOffered);
  for (size_t i = 0; i < kOffered.size(); ++i) {
    const auto alone = ChooseMediaType(text, std::span(kOffered).subspan(i, 1));
    Require(!alone || chosen, "what is taken alone leaves a choice");
    Require(alone || chosen != i, "what is chosen is taken alone");
  }
  HttpRequest request;
  request.headers = {{"Accept", text}, {"Content-Type", text}};
  for (const bool narrows : {false, true}) {
    const auto format = ChooseFormat(request, narrows);
    RequireOk(format.status());
    Require(!narrows || !*format || (*format)->format != DatasetFormat::kParquet,
            "a part of a file is no file");
  }
  static_cast<void>(FormatOfBody(request));
}

void TryDate(std::string_view text) {
  const auto time = ParseHttpDate(text, kNow);
  if (!time) return;
  Require(ParseHttpDate(FormatHttpDate(*time), kNow) == time, "a date comes back");
}

void TryTags(const std::string& text) {
  const Validators validators{.tag = StrongTag("v1"), .modified = kNow};
  const auto tags = ParseEntityTags(text);
  const bool named = tags && (tags->any || std::ranges::contains(tags->tags, validators.tag));
  const bool proceeds =
      Evaluate({.if_match = text}, validators, kNow) == ConditionOutcome::kProceed;
  Require(proceeds == named, "If-Match holds for what it names");
  const bool is_none_match =
      Evaluate({.if_none_match = text}, validators, kNow) == ConditionOutcome::kProceed;
  Require(!named || !is_none_match, "If-None-Match does not");
  Require(!IfRangeHolds(text, validators) || TrimmedOws(text) == validators.tag,
          "If-Range holds for one version");
  static_cast<void>(
      Evaluate({.if_modified_since = text, .if_unmodified_since = text}, validators, kNow));
  if (!tags || tags->any) return;
  std::string joined;
  for (const std::string& tag : tags->tags) {
    joined += (joined.empty() ? "" : ", ") + tag;
    const auto version = VersionOfTag(tag);
    Require(!version || StrongTag(*version) == tag, "a tag is of a version");
  }
  const auto again = ParseEntityTags(joined);
  Require(again && again->tags == tags->tags, "tags come back");
}

void TryTrace(std::string_view text) {
  const auto sent = ParseTraceparent(text);
  const TraceContext own = ContinueTrace(text);
  const auto given = ParseTraceparent(own.ToTraceparent());
  Require(given && given->trace_id == own.trace_id && given->span_id == own.span_id,
          "what is given on is a traceparent");
  if (sent) Require(own.trace_id == sent->trace_id && own.span_id != sent->span_id, "it goes on");
}

void Try(std::string_view input) {
  const std::string text(input.substr(1));
  switch (input.front()) {
    case 't':
      return TryTarget(text);
    case 'n':
      return TryName(text);
    case 'r':
      return TryRange(text);
    case 'a':
      return TryAccept(text);
    case 'd':
      return TryDate(text);
    case 'e':
      return TryTags(text);
    case 'p':
      return TryTrace(text);
    default:
      return;
  }
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size > 0) hangar::fuzz::Try({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
