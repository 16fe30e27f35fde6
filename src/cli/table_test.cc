#include "cli/table.h"

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "cli/terminal.h"

namespace hangar::cli {
namespace {

TEST(Table, AlignsTextLeftAndNumbersRight) {
  Table table({{"NAME"}, {"ROWS", true}, {"NOTE"}}, 0);
  table.AddRow({"a", "1,234", "x"});
  table.AddRow({"long name", "5", ""});
  EXPECT_EQ(table.Render(),
            "NAME        ROWS  NOTE\n"
            "a          1,234  x\n"
            "long name      5  \n");
}

TEST(Table, PrintsItsTitlesOnceAndKeepsItsWidths) {
  Table table({{"A"}, {"B"}}, 0);
  table.AddRow({"wide", "1"});
  EXPECT_EQ(table.Render(), "A     B\nwide  1\n");
  table.AddRow({"x", "2"});
  EXPECT_EQ(table.Render(), "x     2\n");
}

TEST(Table, CutsTheWidestColumnFirst) {
  Table table({{"NAME"}, {"ROWS", true}}, 20);
  table.AddRow({"a/very/long/name/of/a/dataset", "1,234,567"});
  EXPECT_EQ(table.Render(),
            "NAME            ROWS\n"
            "a/very/l…  1,234,567\n");
}

TEST(Table, LeavesOutColumnsForWhichThereIsNoRoom) {
  Table table({{"one"}, {"two"}, {"three"}}, 14);
  table.AddRow({"11111111", "22222222", "33333333"});
  EXPECT_EQ(table.Render(),
            "one       …\n"
            "11111111  …\n");
}

TEST(Table, EscapesAndMeasuresWhatIsShown) {
  Table table({{"A"}, {"B"}}, 0);
  table.AddRow({"x\ny", "1"});
  table.AddRow({"東京", "2"});
  EXPECT_EQ(table.Render(), "A     B\nx\\ny  1\n東京  2\n");
}

TEST(Table, NeverIsWiderThanAllowed) {
  for (int width = 1; width <= 60; ++width) {
    Table table({{"first"}, {"second", true}, {"東京都"}, {"fourth"}}, width);
    table.AddRow({"aaaaaaaaaaaaaaaaaaaaaaaaa", "123456789", "東京都東京都東京都", "ä"});
    std::istringstream lines(table.Render());
    for (std::string line; std::getline(lines, line);) {
      // Under 4 columns there is no room for the mark of what is missing.
      EXPECT_LE(DisplayWidth(line), std::max(width, 4)) << width << ": " << line;
    }
  }
}

TEST(Table, WithoutColumnsIsNothing) {
  Table table({}, 10);
  table.AddRow({});
  EXPECT_EQ(table.Render(), "");
}

}  // namespace
}  // namespace hangar::cli
