#include "cli/table.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <string_view>
#include <utility>

#include "cli/terminal.h"

namespace hangar::cli {
namespace {

constexpr int kGap = 2;
// Narrower than this, a cut cell tells nothing.
constexpr int kUsefulWidth = 8;

int TotalWidth(const std::vector<int>& widths) {
  return std::accumulate(widths.begin(), widths.end(), 0) +
         kGap * (static_cast<int>(widths.size()) - 1);
}

// The widths that fit: the widest columns give way first, none below kUsefulWidth; then columns are
// dropped at the right. The first column stays, however narrow.
std::vector<int> FitWidths(std::vector<int> widths, int width_max) {
  if (width_max <= 0) return widths;
  std::vector<int> least;
  for (const int width : widths) least.push_back(std::min(width, kUsefulWidth));
  const size_t all = widths.size();
  while (least.size() > 1 && TotalWidth(least) + (least.size() < all ? kGap + 1 : 0) > width_max) {
    least.pop_back();
  }
  widths.resize(least.size());
  const int room = width_max - (widths.size() < all ? kGap + 1 : 0);
  while (TotalWidth(widths) > room) {
    const auto widest = std::ranges::max_element(widths);
    if (*widest <= 1) break;
    --*widest;
  }
  return widths;
}

void AppendCell(std::string_view text, int width, bool right, bool last, std::string* line) {
  const std::string cell = CutToWidth(text, width);
  const auto padding = static_cast<size_t>(std::max(0, width - DisplayWidth(cell)));
  if (right) line->append(padding, ' ');
  *line += cell;
  if (!right && !last) line->append(padding, ' ');
  if (!last) line->append(kGap, ' ');
}

}  // namespace

Table::Table(std::vector<TableColumn> columns, int width_max)
    : columns_(std::move(columns)), width_max_(width_max) {
  for (const TableColumn& column : columns_) {
    widths_.push_back(std::max(1, DisplayWidth(Printable(column.title))));
  }
}

void Table::AddRow(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    cells[i] = Printable(cells[i]);
    widths_[i] = std::max(widths_[i], DisplayWidth(cells[i]));
  }
  rows_.push_back(std::move(cells));
}

std::string Table::Render() {
  if (columns_.empty()) return "";
  const std::vector<int> widths = FitWidths(widths_, width_max_);
  const bool cut = widths.size() < columns_.size();
  std::string out;
  const auto append_line = [&](auto&& cell_at) {
    for (size_t i = 0; i < widths.size(); ++i) {
      const bool last = i + 1 == widths.size() && !cut;
      AppendCell(cell_at(i), widths[i], columns_[i].right, last, &out);
    }
    if (cut) out += "…";
    out += '\n';
  };
  if (!titles_shown_) append_line([&](size_t i) { return Printable(columns_[i].title); });
  titles_shown_ = true;
  for (const auto& row : rows_) append_line([&](size_t i) -> const std::string& { return row[i]; });
  rows_.clear();
  return out;
}

}  // namespace hangar::cli
