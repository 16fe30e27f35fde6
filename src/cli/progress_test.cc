#include "cli/progress.h"

#include <gmock/gmock.h>

#include "cli/terminal.h"

namespace hangar::cli {
namespace {

ProgressState HalfWay() {
  return {.label = "a.parquet", .fraction = 0.5, .rows = 1234, .bytes = 100 << 20, .elapsed_s = 10};
}

TEST(FormatProgress, ShowsEverythingWhereThereIsRoom) {
  EXPECT_EQ(FormatProgress(HalfWay(), 100),
            "a.parquet  [==============>             ]   50%  10.0 MiB/s  eta 0:10  100 MiB  "
            "1,234 rows");
}

TEST(FormatProgress, LeavesOutWhatHasNoRoom) {
  EXPECT_EQ(FormatProgress(HalfWay(), 52), "a.parquet  [=====>     ]   50%  10.0 MiB/s  eta 0:10");
  EXPECT_EQ(FormatProgress(HalfWay(), 17), "a.pa…   50%");
  for (int width = 1; width <= 120; ++width) {
    EXPECT_LE(DisplayWidth(FormatProgress(HalfWay(), width)), width);
  }
}

TEST(FormatProgress, ShowsTheTimeSoFarWhereTheEndIsNotKnown) {
  ProgressState state = HalfWay();
  state.fraction = std::nullopt;
  EXPECT_EQ(FormatProgress(state, 80), "a.parquet  10.0 MiB/s  0:10  100 MiB  1,234 rows");
}

TEST(FormatProgress, HasNoRemainingTimeAtTheStart) {
  ProgressState state = HalfWay();
  state.fraction = 0;
  state.elapsed_s = 0;
  EXPECT_THAT(FormatProgress(state, 100), testing::HasSubstr("eta -"));
}

TEST(FormatProgress, EscapesTheLabel) {
  ProgressState state = HalfWay();
  state.label = "\x1b[2J";
  EXPECT_THAT(FormatProgress(state, 100), testing::StartsWith("\\x1b[2J  "));
}

}  // namespace
}  // namespace hangar::cli
