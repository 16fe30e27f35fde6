#include "metrics/call_metrics.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/metrics.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CallMetricsTest : public ::testing::Test {
 protected:
  Metrics metrics_;
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  const std::shared_ptr<CallObserver> observer_ = MakeCallObserver(&metrics_, logger_);
  const CallObserver::Method get_ = observer_->AddMethod("flight", "DoGet");
};

TEST_F(CallMetricsTest, CallsAreCountedByDoorMethodAndCode) {
  observer_->Begin(get_, {}, nullptr)->End({});
  observer_->Begin(get_, {}, nullptr)->End({.error = ErrorKind::kNotFound});
  observer_->Begin(get_, {}, nullptr)->End({.error = ErrorKind::kStorageFull});
  observer_->Begin(get_, {}, nullptr)->End({.error = ErrorKind::kResourceExhausted});
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr(R"(hangar_calls_total{code="OK",door="flight",method="DoGet"} 1)"));
  EXPECT_THAT(text,
              HasSubstr(R"(hangar_calls_total{code="NOT_FOUND",door="flight",method="DoGet"} 1)"));
  EXPECT_THAT(
      text,
      HasSubstr(R"(hangar_calls_total{code="RESOURCE_EXHAUSTED",door="flight",method="DoGet"} 2)"));
  EXPECT_THAT(text,
              HasSubstr(R"(hangar_calls_total{code="INTERNAL",door="flight",method="DoGet"} 0)"));
  EXPECT_THAT(text,
              HasSubstr(R"(hangar_call_duration_seconds_count{door="flight",method="DoGet"} 4)"));
}

TEST_F(CallMetricsTest, CallsUnderWayAreThoseThatBeganAndDidNotEnd) {
  const std::string name = R"(hangar_calls_in_progress{door="flight",method="DoGet"} )";
  auto first = observer_->Begin(get_, {}, nullptr);
  auto second = observer_->Begin(get_, {}, nullptr);
  EXPECT_THAT(metrics_.Text(), HasSubstr(name + "2\n"));
  first->End({});
  EXPECT_THAT(metrics_.Text(), HasSubstr(name + "1\n"));
  second.reset();
  EXPECT_THAT(metrics_.Text(), HasSubstr(name + "0\n"));
}

TEST_F(CallMetricsTest, ACallThatGoesWithoutAnEndWasCancelled) {
  observer_->Begin(get_, {}, nullptr).reset();
  EXPECT_THAT(metrics_.Text(),
              HasSubstr(R"(hangar_calls_total{code="CANCELLED",door="flight",method="DoGet"} 1)"));
}

TEST_F(CallMetricsTest, TrafficCountsWhileItFlowsAndOnlyOnce) {
  const std::string rows = R"(hangar_sent_rows_total{door="flight"} )";
  int64_t sent = 10;
  auto call = observer_->Begin(get_, {}, [&] { return CallTraffic{.rows_out = sent}; });
  EXPECT_THAT(metrics_.Text(), HasSubstr(rows + "10\n"));
  sent = 25;
  EXPECT_THAT(metrics_.Text(), HasSubstr(rows + "25\n"));
  call->End({});
  call.reset();
  EXPECT_THAT(metrics_.Text(), HasSubstr(rows + "25\n"));
  observer_->Begin(get_, {}, [&] { return CallTraffic{.rows_out = 5}; })->End({});
  EXPECT_THAT(metrics_.Text(), HasSubstr(rows + "30\n"));
}

TEST_F(CallMetricsTest, DoorsAreApart) {
  const auto put = observer_->AddMethod("http", "PutDataset");
  observer_->Begin(put, {}, [] { return CallTraffic{.bytes_in = 7}; })->End({});
  EXPECT_THAT(metrics_.Text(),
              AllOf(HasSubstr("hangar_received_bytes_total{door=\"http\"} 7\n"),
                    HasSubstr("hangar_received_bytes_total{door=\"flight\"} 0\n")));
}

TEST_F(CallMetricsTest, ALineSaysWhoDidWhatAndHowItEnded) {
  observer_
      ->Begin(get_, {.peer = "ipv4:10.0.0.1:5", .trace_id = "4bf9"},
              [] { return CallTraffic{.rows_out = 3, .bytes_out = 24}; })
      ->End({.error = ErrorKind::kNotFound,
             .reason = "there is no 'x'",
             .identity = "user:alice",
             .dataset = "x"});
  EXPECT_THAT(
      logger_->lines(),
      ElementsAre(AllOf(StartsWith("call flight DoGet user:alice ipv4:10.0.0.1:5 x   3 24 "),
                        HasSubstr(" NOT_FOUND  4bf9 there is no 'x'"))));
}

}  // namespace
}  // namespace hangar
