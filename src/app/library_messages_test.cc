#include "app/library_messages.h"

#include <iostream>

#include <arrow/util/logging.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

TEST(LibraryMessages, LinesOnCerrGoToTheLog) {
  const auto logger = std::make_shared<RecordingLogger>();
  {
    const LibraryMessages messages(logger);
    std::cerr << "one " << 1 << std::endl << "two\nthree";
    EXPECT_THAT(logger->lines(), ElementsAre("a library says one 1", "a library says two"));
  }
  EXPECT_THAT(logger->lines(),
              ElementsAre("a library says one 1", "a library says two", "a library says three"));
}

TEST(LibraryMessages, ArrowsOwnLogIsAmongThem) {
  const auto logger = std::make_shared<RecordingLogger>();
  const LibraryMessages messages(logger);
  ARROW_LOG(WARNING) << "arrow warns";
  EXPECT_THAT(logger->lines(), ElementsAre(EndsWith("arrow warns")));
}

TEST(LibraryMessages, ALineWithoutAnEndIsCut) {
  const auto logger = std::make_shared<RecordingLogger>();
  const LibraryMessages messages(logger);
  std::cerr << std::string(10'000, 'x') << std::flush;
  EXPECT_EQ(logger->lines().size(), 1u);
}

TEST(LibraryMessages, AfterwardsCerrIsAsBefore) {
  const auto logger = std::make_shared<RecordingLogger>();
  std::streambuf* const before = std::cerr.rdbuf();
  {
    const LibraryMessages messages(logger);
  }
  EXPECT_EQ(std::cerr.rdbuf(), before);
  EXPECT_THAT(logger->lines(), IsEmpty());
}

}  // namespace
}  // namespace hangar
