#include "base/admission_queue.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using Reservation = AdmissionQueue::Reservation;

// Longer than any test runs.
constexpr std::chrono::milliseconds kLong = std::chrono::hours(1);

AdmissionQueue::Options Capacity(int64_t bytes) {
  return {.capacity_bytes = bytes, .timeout = kLong};
}

std::future<arrow::Result<Reservation>> AdmitLater(AdmissionQueue& queue, int64_t bytes) {
  const size_t waiting = queue.waiting();
  auto admitted =
      std::async(std::launch::async, [&queue, bytes] { return queue.Admit(bytes, nullptr); });
  while (queue.waiting() == waiting) std::this_thread::yield();
  return admitted;
}

TEST(AdmissionQueue, LetsInWhatFitsAndTakesBackWhatEnds) {
  AdmissionQueue queue(Capacity(100));
  {
    const auto first = queue.Admit(60, nullptr);
    const auto second = queue.Admit(40, nullptr);
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_EQ(queue.reserved_bytes(), 100);
  }
  EXPECT_EQ(queue.reserved_bytes(), 0);
}

TEST(AdmissionQueue, WhatIsLargerThanEverythingRunsAlone) {
  AdmissionQueue queue(Capacity(100));
  std::optional<Reservation> small = queue.Admit(1, nullptr).ValueOrDie();
  auto huge = AdmitLater(queue, 1'000);
  small.reset();
  const auto reservation = huge.get();
  ASSERT_TRUE(reservation.ok());
  EXPECT_EQ(queue.reserved_bytes(), 100);
}

TEST(AdmissionQueue, NobodyOvertakesThoseWhoCameBefore) {
  AdmissionQueue queue(Capacity(100));
  std::optional<Reservation> running = queue.Admit(80, nullptr).ValueOrDie();
  auto large = AdmitLater(queue, 60);
  auto small = AdmitLater(queue, 10);  // Would fit beside what runs.
  EXPECT_EQ(queue.waiting(), 2U);
  EXPECT_EQ(queue.reserved_bytes(), 80);
  running.reset();
  const auto first = large.get();
  const auto second = small.get();
  EXPECT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(queue.reserved_bytes(), 70);
}

TEST(AdmissionQueue, AfterTheTimeoutItIsUnavailableAndSaysWhenToTryAgain) {
  AdmissionQueue queue(
      {.capacity_bytes = 100, .timeout = std::chrono::milliseconds(20), .waiting_max = 8});
  const auto running = queue.Admit(100, nullptr);
  const auto refused = queue.Admit(1, nullptr);
  EXPECT_EQ(KindOf(refused.status()), ErrorKind::kUnavailable);
  EXPECT_TRUE(refused.status().message().contains("try again in 1 s"));
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(AdmissionQueue, ThoseWhoAreTooManyAreTurnedAwayAtOnce) {
  AdmissionQueue queue({.capacity_bytes = 100, .timeout = kLong, .waiting_max = 1});
  std::optional<Reservation> running = queue.Admit(100, nullptr).ValueOrDie();
  auto waiting = AdmitLater(queue, 10);
  EXPECT_EQ(KindOf(queue.Admit(10, nullptr).status()), ErrorKind::kUnavailable);
  running.reset();
  EXPECT_TRUE(waiting.get().ok());
}

TEST(AdmissionQueue, WhoIsCancelledLeavesAndLetsTheNextOnePass) {
  AdmissionQueue queue(Capacity(100));
  const auto running = queue.Admit(80, nullptr);
  std::atomic<bool> gone = false;
  auto large =
      std::async(std::launch::async, [&] { return queue.Admit(60, [&] { return gone.load(); }); });
  while (queue.waiting() == 0) std::this_thread::yield();
  auto small = AdmitLater(queue, 10);
  gone = true;
  EXPECT_EQ(KindOf(large.get().status()), ErrorKind::kCancelled);
  EXPECT_TRUE(small.get().ok());
}

TEST(AdmissionQueue, ManyThreadsAllGetTheirTurnAndNeverTooMuch) {
  constexpr int64_t kCapacity = 50;
  AdmissionQueue queue(Capacity(kCapacity));
  std::atomic<int64_t> held = 0;
  std::atomic<int64_t> turns = 0;
  std::atomic<bool> exceeded = false;
  std::vector<std::jthread> threads;
  for (int64_t bytes : {1, 7, 11, 13, 29, 50}) {
    threads.emplace_back([&, bytes] {
      for (int i = 0; i < 2'000; ++i) {
        const auto reservation = queue.Admit(bytes, nullptr);
        if (!reservation.ok()) return;
        if (held.fetch_add(bytes) + bytes > kCapacity) exceeded = true;
        ++turns;
        held.fetch_sub(bytes);
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(turns, 6 * 2'000);
  EXPECT_EQ(queue.reserved_bytes(), 0);
}

}  // namespace
}  // namespace hangar
