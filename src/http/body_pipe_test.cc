#include "http/body_pipe.h"

#include <memory>
#include <string>
#include <thread>

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

TEST(BodyPipe, CarriesMoreThanItHoldsInOrder) {
  BodyPipe pipe;
  std::string sent;
  for (int i = 0; i < 700'000; ++i) sent += std::to_string(i);
  std::thread writer([&] {
    for (size_t i = 0; i < sent.size(); i += 12'345) {
      EXPECT_TRUE(pipe.Write(std::string_view(sent).substr(i, 12'345)));
    }
    pipe.Finish();
  });
  std::string received;
  while (true) {
    const auto buffer = pipe.Read(99'999).ValueOrDie();
    if (buffer->size() == 0) break;
    received += buffer->ToString();
  }
  writer.join();
  EXPECT_EQ(received, sent);
  EXPECT_EQ(pipe.Tell().ValueOrDie(), static_cast<int64_t>(sent.size()));
}

TEST(BodyPipe, AReadOfMoreThanThereIsGivesWhatThereIs) {
  BodyPipe pipe;
  EXPECT_TRUE(pipe.Write("abc"));
  pipe.Finish();
  // As a damaged stream may ask for.
  EXPECT_EQ(pipe.Read(int64_t{1} << 60).ValueOrDie()->ToString(), "abc");
}

TEST(BodyPipe, ABodyThatBreaksOffIsNoEnd) {
  BodyPipe pipe;
  EXPECT_TRUE(pipe.Write("abc"));
  std::thread writer([&] { pipe.BreakOff(); });
  const auto read = pipe.Read(100);
  writer.join();
  EXPECT_EQ(KindOf(read.status()), ErrorKind::kCancelled);
}

TEST(BodyPipe, AWriterLearnsThatNobodyReads) {
  BodyPipe pipe;
  std::thread reader([&] { EXPECT_TRUE(pipe.Close().ok()); });
  // More than fits, so that it has to wait.
  EXPECT_FALSE(pipe.Write(std::string(3 << 20, 'x')));
  reader.join();
  EXPECT_FALSE(pipe.Write("x"));
}

}  // namespace
}  // namespace hangar
