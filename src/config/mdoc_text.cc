#include "config/mdoc_text.h"

namespace hangar {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string MdocText(std::string_view text) {
  std::string out = Escaped(text);
  // A line that begins with a dot or a quote would be a request.
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  // Each sentence begins a line, so that the space between them is the formatter's.
  for (size_t at = out.find(". "); at != std::string::npos; at = out.find(". ", at + 1)) {
    if (at + 2 < out.size() && out[at + 2] >= 'A' && out[at + 2] <= 'Z') out[at + 1] = '\n';
  }
  return out;
}

std::string MdocWord(std::string_view word) {
  // A zero-width character before it: a word that is a macro's name or a bar is then none.
  std::string out = "\"\\&";
  for (const char c : Escaped(word)) out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  return out + '"';
}

std::string MdocLiteral(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    out += MdocText(lines.substr(0, end)) + "\n";
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return out;
}

}  // namespace hangar
