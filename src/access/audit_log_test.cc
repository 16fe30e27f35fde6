#include "access/audit_log.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

AuditEvent PutOf(std::string dataset) {
  return {.action = "put",
          .outcome = "done",
          .identity = "user:alice",
          .peer = "ipv4:10.0.0.1:5",
          .dataset = std::move(dataset),
          .version = "v1"};
}

class AuditLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "audit.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    file_ = folder_ / "audit.jsonl";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::shared_ptr<AuditLog> Open() { return *AuditLog::Make(file_.string(), logger_); }

  static std::vector<std::string> LinesOf(const std::filesystem::path& path) {
    std::ifstream stream(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
};

TEST_F(AuditLogTest, AnEventIsALineOfJsonWithWhatIsKnownOfIt) {
  Open()->Record(PutOf("sales.parquet"));
  const auto lines = LinesOf(file_);
  ASSERT_THAT(lines, SizeIs(1));
  auto event = nlohmann::json::parse(lines[0]);
  EXPECT_TRUE(ParseTimestamp(event["time"].get<std::string>()));
  event.erase("time");
  EXPECT_EQ(event, (nlohmann::json{{"action", "put"},
                                   {"outcome", "done"},
                                   {"identity", "user:alice"},
                                   {"peer", "ipv4:10.0.0.1:5"},
                                   {"dataset", "sales.parquet"},
                                   {"version", "v1"}}));
}

TEST_F(AuditLogTest, TheFileIsForItsOwnerAlone) {
  const auto old_mask = ::umask(0);
  Open();
  ::umask(old_mask);
  struct stat state{};
  ASSERT_EQ(::stat(file_.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, WhatANameHoldsCannotMakeALine) {
  const std::string name = "a\n{\"action\":\"drop\"}\r\x7f\xc2\x9b\xe2\x80\xa8\xff\"\\";
  Open()->Record(PutOf(name));
  const auto lines = LinesOf(file_);
  ASSERT_THAT(lines, SizeIs(1));
  for (const char c : lines[0]) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << lines[0];
  EXPECT_EQ(nlohmann::json::parse(lines[0])["dataset"],
            "a\n{\"action\":\"drop\"}\r\x7f\xc2\x9b\xe2\x80\xa8\xef\xbf\xbd\"\\");
}

TEST_F(AuditLogTest, WhatStandsThereIsAppendedTo) {
  Open()->Record(PutOf("a"));
  Open()->Record(PutOf("b"));
  EXPECT_THAT(LinesOf(file_), ElementsAre(HasSubstr("\"a\""), HasSubstr("\"b\"")));
}

TEST_F(AuditLogTest, ReopenGoesOnInANewFileAfterARotation) {
  const auto log = Open();
  log->Record(PutOf("a"));
  std::filesystem::rename(file_, folder_ / "audit.1");
  log->Record(PutOf("b"));
  log->Reopen();
  log->Record(PutOf("c"));
  EXPECT_THAT(LinesOf(folder_ / "audit.1"), ElementsAre(HasSubstr("\"a\""), HasSubstr("\"b\"")));
  EXPECT_THAT(LinesOf(file_), ElementsAre(HasSubstr("\"c\"")));
}

TEST_F(AuditLogTest, ReopenThatFailsGoesOnInTheOldFile) {
  const auto log = Open();
  std::filesystem::rename(file_, folder_ / "audit.1");
  std::filesystem::create_directory(file_);
  log->Reopen();
  log->Record(PutOf("a"));
  EXPECT_THAT(LinesOf(folder_ / "audit.1"), ElementsAre(HasSubstr("\"a\"")));
  EXPECT_THAT(logger_->lines(), ElementsAre(HasSubstr("could not be opened again")));
}

TEST_F(AuditLogTest, OnAFullDiskTheEventGoesIntoTheLog) {
  const auto log = *AuditLog::Make("/dev/full", logger_);
  log->Record(PutOf("sales.parquet"));
  EXPECT_THAT(logger_->lines(), ElementsAre(AllOf(StartsWith("an audit event could not be written"),
                                                  HasSubstr("sales.parquet"))));
}

TEST_F(AuditLogTest, ALineThatWasCutOffDoesNotSpoilTheNext) {
  const auto log = Open();
  log->Record(PutOf("a"));
  // A limit on the file's size stands for a disk that fills up in the middle of a line.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit few{.rlim_cur = std::filesystem::file_size(file_) + 10, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &few), 0);
  log->Record(PutOf("b"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  log->Record(PutOf("c"));
  const auto lines = LinesOf(file_);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(nlohmann::json::parse(lines[2])["dataset"], "c");
  EXPECT_THAT(logger_->lines(), ElementsAre(HasSubstr("\"b\"")));
}

TEST_F(AuditLogTest, EventsOfManyThreadsAreWholeLines) {
  const auto log = Open();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 100; ++j) log->Record(PutOf(std::string(500, 'x')));
      });
    }
  }
  const auto lines = LinesOf(file_);
  EXPECT_THAT(lines, SizeIs(400));
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST_F(AuditLogTest, ADashMeansLinesOfTheLog) {
  (*AuditLog::Make("-", logger_))->Record(PutOf("a"));
  EXPECT_THAT(logger_->lines(), ElementsAre(AllOf(StartsWith("audit put done user:alice"))));
}

TEST_F(AuditLogTest, WithoutAFileNothingIsKept) {
  (*AuditLog::Make("", logger_))->Record(PutOf("a"));
  EXPECT_THAT(logger_->lines(), IsEmpty());
}

TEST_F(AuditLogTest, AFileThatCannotBeWrittenIsSaidAtTheStart) {
  const auto made = AuditLog::Make((folder_ / "missing" / "audit").string(), logger_);
  EXPECT_EQ(KindOf(made.status()), ErrorKind::kFailedPrecondition);
  EXPECT_THAT(made.status().message(), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace hangar
