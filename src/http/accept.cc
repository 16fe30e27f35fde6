#include "http/accept.h"

#include <charconv>

#include "http/header_text.h"

namespace hangar {
namespace {

// A quality is 0 to 1 with three digits at most; what is none counts as 1.
double QualityOf(std::string_view parameters) {
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = TrimmedOws(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.size() < 2 || !EqualsIgnoringCase(parameter.substr(0, 2), "q=")) continue;
    const std::string_view number = parameter.substr(2);
    double quality = 0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), quality);
    if (result.ec == std::errc() && quality >= 0 && quality <= 1) return quality;
  }
  return 1;
}

// How closely a range names the type: 0 not at all, 3 exactly.
int Closeness(std::string_view range, std::string_view type) {
  if (EqualsIgnoringCase(range, type)) return 3;
  if (range == "*/*" || range == "*") return 1;
  const size_t slash = type.find('/');
  if (range.ends_with("/*") &&
      EqualsIgnoringCase(range.substr(0, range.size() - 2), type.substr(0, slash))) {
    return 2;
  }
  return 0;
}

double QualityFor(std::string_view accept, std::string_view type) {
  int closest = 0;
  double quality = 0;
  for (const std::string_view item : SplitList(accept)) {
    const int closeness = Closeness(MediaTypeOf(item), type);
    if (closeness <= closest) continue;
    closest = closeness;
    const size_t semicolon = std::min(item.find(';'), item.size());
    quality = QualityOf(item.substr(semicolon));
  }
  return quality;
}

}  // namespace

std::optional<size_t> ChooseMediaType(std::string_view accept,
                                      std::span<const std::string_view> offered) {
  std::optional<size_t> best;
  double best_quality = 0;
  for (size_t i = 0; i < offered.size(); ++i) {
    const double quality = QualityFor(accept, offered[i]);
    if (quality <= best_quality) continue;
    best = i;
    best_quality = quality;
  }
  return best;
}

std::string_view MediaTypeOf(std::string_view content_type) {
  return TrimmedOws(content_type.substr(0, content_type.find(';')));
}

}  // namespace hangar
