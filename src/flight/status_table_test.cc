#include "flight/status_table.h"

#include <set>

#include <arrow/flight/types.h>
#include <gmock/gmock.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr ErrorKind kKinds[] = {
    ErrorKind::kInvalidArgument,   ErrorKind::kNotFound,           ErrorKind::kAlreadyExists,
    ErrorKind::kUnauthenticated,   ErrorKind::kFailedPrecondition, ErrorKind::kPermissionDenied,
    ErrorKind::kResourceExhausted, ErrorKind::kUnavailable,        ErrorKind::kUnimplemented,
    ErrorKind::kCancelled,         ErrorKind::kDataLoss,           ErrorKind::kInternal,
};

TEST(StatusTable, EveryKindHasACodeOfItsOwnAndIsFoundByItsName) {
  std::set<int> codes;
  for (const ErrorKind kind : kKinds) {
    codes.insert(GrpcCode(kind));
    EXPECT_EQ(ErrorKindFromName(ErrorKindName(kind)), kind);
  }
  EXPECT_EQ(codes.size(), std::size(kKinds));
  EXPECT_EQ(GrpcCode(ErrorKind::kFailedPrecondition), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ErrorKindFromName("Internal"), std::nullopt);
}

TEST(StatusTable, AStatusWithAKindKeepsItsSentenceAndItsKind) {
  RecordingLogger logger;
  for (const ErrorKind kind : kKinds) {
    const auto sent = ForClient(MakeError(kind, "what to do"), "DoGet", logger);
    EXPECT_EQ(sent.message(), "what to do");
    EXPECT_EQ(KindOfSent(sent), kind);
  }
  EXPECT_TRUE(logger.lines().empty());
}

TEST(StatusTable, ALibrarysWordsStayInTheLog) {
  RecordingLogger logger;
  const auto sent =
      ForClient(arrow::Status::IOError("/srv/data/x: thrift says no"), "DoGet", logger);
  EXPECT_EQ(KindOfSent(sent), ErrorKind::kInternal);
  EXPECT_THAT(sent.message(), Not(HasSubstr("/srv")));
  EXPECT_THAT(logger.lines(), ElementsAre(HasSubstr("/srv/data/x: thrift says no")));
}

}  // namespace
}  // namespace hangar
