#pragma once

#include <string>
#include <vector>

namespace hangar::cli {

struct TableColumn {
  std::string title;
  bool right = false;  ///< Aligned to the right, for numbers.
};

/// Text in aligned columns, two spaces apart.
///
///   Table table({{"NAME"}, {"ROWS", true}}, OutputWidth());
///   table.AddRow({"sales.parquet", "1,234"});
///   Print(table.Render());
class Table {
 public:
  /// `width_max` is the most columns a line may take, 0 for no limit.
  Table(std::vector<TableColumn> columns, int width_max);

  /// Cells may hold anything; they are made printable here. As many as there are columns.
  void AddRow(std::vector<std::string> cells);

  bool empty() const { return rows_.empty(); }

  /// All rows since the last call, below the titles if it is the first. Where the width does not
  /// suffice, the widest columns are cut first; columns for which there is no room at all are left
  /// out at the right and a last column "…" tells so. Later calls keep at least the widths of
  /// earlier ones.
  std::string Render();

 private:
  const std::vector<TableColumn> columns_;
  const int width_max_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<int> widths_;  // Natural ones, of everything so far.
  bool titles_shown_ = false;
};

}  // namespace hangar::cli
