#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hangar {

/// Writes a small JSON object, key after key, without making a tree of it first. Strings must be
/// valid UTF-8.
///
///   JsonText().Add("rows", 3).Add("name", name).Take()
class JsonText {
 public:
  JsonText& Add(std::string_view key, std::string_view value);
  JsonText& Add(std::string_view key, int64_t value);
  JsonText& Add(std::string_view key, std::span<const std::string> values);

  /// The object's text; nothing may be added any more.
  std::string Take();

 private:
  void AddKey(std::string_view key);

  std::string text_ = "{";
};

}  // namespace hangar
