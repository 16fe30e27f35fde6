#include "access/toml_fields.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

arrow::Status WrongAtLine(const std::string& source, toml::source_index line,
                          std::string_view what) {
  return Error(ErrorKind::kInvalidArgument, "{}, line {}: {}", source, line, what);
}

arrow::Result<toml::table> ParseToml(std::string_view text, const std::string& source) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return WrongAtLine(source, error.source().begin.line, error.description());
  }
}

}  // namespace

arrow::Status WrongAt(const std::string& source, const toml::node& node, std::string_view what) {
  return WrongAtLine(source, node.source().begin.line, what);
}

arrow::Status ForEachEntry(
    std::string_view text, const std::string& source, std::string_view group,
    const std::function<arrow::Status(std::string_view name, const toml::table& entry)>& read) {
  ARROW_ASSIGN_OR_RAISE(const toml::table root, ParseToml(text, source));
  for (const auto& [key, node] : root) {
    if (key.str() != group || !node.is_table()) {
      return WrongAt(source, node,
                     std::format("{} is not known; there are only [{}.NAME] tables",
                                 Quoted(key.str()), group));
    }
    for (const auto& [name, entry] : *node.as_table()) {
      if (!entry.is_table()) {
        return WrongAt(source, entry, std::format("{} is no table", Quoted(name.str())));
      }
      ARROW_RETURN_NOT_OK(read(name.str(), *entry.as_table()));
    }
  }
  return arrow::Status::OK();
}

arrow::Status CheckKeys(const toml::table& entry, const std::string& source,
                        std::initializer_list<std::string_view> known) {
  for (const auto& [key, node] : entry) {
    if (std::ranges::find(known, key.str()) == known.end()) {
      return WrongAt(source, node, std::format("the key {} is not known", Quoted(key.str())));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::string> TextAt(const toml::table& entry, std::string_view key,
                                  const std::string& source) {
  const toml::node* node = entry.get(key);
  if (node == nullptr) return std::string();
  if (const auto* text = node->as_string()) return text->get();
  return WrongAt(source, *node, std::format("{} must be a string", Quoted(key)));
}

arrow::Result<std::vector<std::string>> TextsAt(const toml::table& entry, std::string_view key,
                                                const std::string& source) {
  std::vector<std::string> texts;
  const toml::node* node = entry.get(key);
  if (node == nullptr) return texts;
  if (!node->is_array()) {
    return WrongAt(source, *node, std::format("{} must be an array of strings", Quoted(key)));
  }
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_string()) {
      return WrongAt(source, item, std::format("{} must be an array of strings", Quoted(key)));
    }
    texts.push_back(item.as_string()->get());
  }
  return texts;
}

}  // namespace hangar
