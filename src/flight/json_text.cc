#include "flight/json_text.h"

#include <algorithm>
#include <cstddef>
#include <format>
#include <iterator>
#include <utility>

namespace hangar {
namespace {

// RFC 8259, section 7: quotation mark, reverse solidus and the controls up to U+001F are escaped.
void AppendString(std::string_view value, std::string* text) {
  const auto is_escaped = [](char c) {
    return c == '"' || c == '\\' || static_cast<uint8_t>(c) < 0x20;
  };
  *text += '"';
  while (true) {
    const auto plain = static_cast<size_t>(std::ranges::find_if(value, is_escaped) - value.begin());
    *text += value.substr(0, plain);
    if (plain == value.size()) break;
    const char c = value[plain];
    if (static_cast<uint8_t>(c) < 0x20) {
      std::format_to(std::back_inserter(*text), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      *text += '\\';
      *text += c;
    }
    value.remove_prefix(plain + 1);
  }
  *text += '"';
}

}  // namespace

void JsonText::AddKey(std::string_view key) {
  if (text_.size() > 1) text_ += ',';
  AppendString(key, &text_);
  text_ += ':';
}

JsonText& JsonText::Add(std::string_view key, std::string_view value) {
  AddKey(key);
  AppendString(value, &text_);
  return *this;
}

JsonText& JsonText::Add(std::string_view key, int64_t value) {
  AddKey(key);
  text_ += std::to_string(value);
  return *this;
}

JsonText& JsonText::Add(std::string_view key, std::span<const std::string> values) {
  AddKey(key);
  text_ += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text_ += ',';
    AppendString(values[i], &text_);
  }
  text_ += ']';
  return *this;
}

std::string JsonText::Take() {
  text_ += '}';
  return std::move(text_);
}

}  // namespace hangar
