#include "client/flight_error.h"

#include <memory>
#include <string>

#include <arrow/flight/types.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "client/client.h"

namespace hangar::client {
namespace {

using arrow::Status;
using arrow::flight::FlightStatusCode;
using arrow::flight::FlightStatusDetail;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kUri[] = "grpc://host:1";

struct Case {
  std::string name;
  Status status;
  std::string sentence;
  ErrorKind kind;
};

Status WithFlight(const Status& status, FlightStatusCode code, std::string extra_info = {}) {
  return status.WithDetail(std::make_shared<FlightStatusDetail>(code, std::move(extra_info)));
}

class FromFlightTest : public testing::TestWithParam<Case> {};

TEST_P(FromFlightTest, LeavesTheServersSentenceAndItsKind) {
  const Status cleaned = FromFlight(GetParam().status, kUri);
  EXPECT_EQ(cleaned.message(), GetParam().sentence);
  EXPECT_EQ(KindOf(cleaned), GetParam().kind);
  EXPECT_TRUE(HasErrorKind(cleaned));
}

constexpr char kContext[] =
    ". gRPC client debug context: UNKNOWN:Error received from peer {grpc_status:5}. Client "
    "context: OK";

INSTANTIATE_TEST_SUITE_P(
    Forms, FromFlightTest,
    testing::Values(
        Case{"DetailOfTheServersStatus",
             Status::KeyError("no dataset 'a'. Detail: NOT_FOUND", kContext), "no dataset 'a'",
             ErrorKind::kNotFound},
        Case{"DetailThatTellsMoreThanTheCode",
             Status::Invalid("it moved. Detail: FAILED_PRECONDITION"), "it moved",
             ErrorKind::kFailedPrecondition},
        Case{"ExtraInfo",
             WithFlight(Status::Invalid("it moved. Detail: Failed"), FlightStatusCode::Failed,
                        "FAILED_PRECONDITION"),
             "it moved", ErrorKind::kFailedPrecondition},
        Case{"PrefixOfFlight",
             Status::Invalid("Flight returned invalid argument error, with message: bad name"),
             "bad name", ErrorKind::kInvalidArgument},
        Case{"PrefixOfGrpc",
             Status::Invalid("gRPC returned resource exhausted error, with message: disk is full",
                             kContext),
             "disk is full", ErrorKind::kResourceExhausted},
        Case{"CodeOnly", Status::AlreadyExists("a exists"), "a exists", ErrorKind::kAlreadyExists},
        Case{"FlightCodeOnly",
             WithFlight(Status::IOError("not you. Detail: Unauthorized"),
                        FlightStatusCode::Unauthorized),
             "not you", ErrorKind::kPermissionDenied},
        Case{"FlightCodeOfNobody",
             WithFlight(Status::IOError("who are you. Detail: Unauthenticated"),
                        FlightStatusCode::Unauthenticated),
             "who are you", ErrorKind::kUnauthenticated},
        Case{"ServersOwnUnavailable",
             WithFlight(Status::IOError("too many readers. Detail: UNAVAILABLE"),
                        FlightStatusCode::Unavailable),
             "too many readers", ErrorKind::kUnavailable},
        Case{"NobodyThere",
             Status::IOError("Flight returned unavailable error, with message: failed to connect "
                             "to all addresses; last error: UNKNOWN: Connection refused"),
             "cannot reach grpc://host:1 (Connection refused): is \"hangar serve\" running there?",
             ErrorKind::kUnavailable},
        Case{"LostOnTheWay",
             Status::IOError("Flight returned unavailable error, with message: Socket closed",
                             kContext),
             "the connection to grpc://host:1 failed: Socket closed", ErrorKind::kUnavailable},
        Case{"LostBelowTheCall",
             Status::UnknownError("Flight RPC failed with message: Stream removed", kContext),
             "the connection to grpc://host:1 failed: Stream removed", ErrorKind::kUnavailable},
        Case{"LostAtAProxy",
             Status::IOError("Flight returned internal error, with message: Received RST_STREAM "
                             "with error code 2"),
             "the connection to grpc://host:1 failed: Received RST_STREAM with error code 2",
             ErrorKind::kUnavailable},
        Case{"NothingSaid", Status::UnknownError("Flight RPC failed with message: "),
             "the server failed without saying why", ErrorKind::kInternal}),
    [](const auto& test_info) { return test_info.param.name; });

// What gRPC 1.51 said where a server's TLS and a client's did not go together.
TEST(FromFlight, TellsWhyThereIsNoConnection) {
  const auto sentence = [](const std::string& uri, const std::string& reason) {
    const Status status = FromFlight(
        Status::IOError("Flight returned unavailable error, with message: ", reason), uri);
    EXPECT_EQ(KindOf(status), ErrorKind::kUnavailable);
    return status.message();
  };
  const std::string no_address = "failed to connect to all addresses; last error: ";
  const std::string address = no_address + "UNKNOWN: ipv4:127.0.0.1:1: ";
  EXPECT_THAT(sentence("grpc+tls://host:1",
                       address + "Ssl handshake failed: SSL_ERROR_SSL: error:0A000086:SSL "
                                 "routines::certificate verify failed"),
              StartsWith("the certificate of grpc+tls://host:1 is not trusted: "));
  EXPECT_EQ(sentence("grpc+tls://host:1", address + "Peer name host is not in peer certificate"),
            "the certificate of grpc+tls://host:1 is for other names than this one");
  EXPECT_EQ(sentence("grpc+tls://host:1",
                     address + "Ssl handshake failed: SSL_ERROR_SSL: error:0A00010B:SSL "
                               "routines::wrong version number"),
            "grpc+tls://host:1 speaks no TLS: grpc:// is its address, without encryption");
  const std::string closed = no_address + "UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed";
  EXPECT_THAT(sentence("grpc+tls://host:1", closed), HasSubstr("client certificate"));
  EXPECT_THAT(sentence("grpc://host:1", closed), HasSubstr("grpc+tls://"));
  EXPECT_THAT(sentence("grpc+tls://host:1", "empty address list: "), HasSubstr("no PEM"));
}

TEST(FromFlight, LeavesWhatHasAKindAlone) {
  const Status status = Error(ErrorKind::kDataLoss, "x. Detail: NOT_FOUND");
  EXPECT_EQ(FromFlight(status, kUri), status);
  EXPECT_TRUE(FromFlight(Status::OK(), kUri).ok());
}

TEST(FailedToConnectByChance, IsNothingButGrpcsLostErrno) {
  const auto connecting = [](const std::string& reason) {
    return Status::IOError(
        "Flight returned unavailable error, with message: failed to connect to all addresses; "
        "last error: UNKNOWN: ipv4:127.0.0.1:1: ",
        reason, kContext);
  };
  EXPECT_TRUE(FailedToConnectByChance(connecting("connect: Invalid argument")));
  EXPECT_TRUE(FailedToConnectByChance(connecting("connect: Invalid argument (22)")));
  EXPECT_TRUE(FailedToConnectByChance(connecting("connect: No such file or directory (2)")));
  EXPECT_FALSE(FailedToConnectByChance(Status::IOError(
      "Flight returned unavailable error, with message: failed to connect to all addresses; "
      "last error: UNKNOWN: unix:/run/s: connect: No such file or directory (2)",
      kContext)));
  EXPECT_FALSE(FailedToConnectByChance(connecting("Failed to connect: Connection refused")));
  EXPECT_FALSE(FailedToConnectByChance(Status::OK()));
  // A server's own sentence, and a call that was on its way.
  EXPECT_FALSE(FailedToConnectByChance(Status::IOError(
      "failed to connect to all addresses: Invalid argument. Detail: UNAVAILABLE")));
  EXPECT_FALSE(FailedToConnectByChance(Status::IOError(
      "Flight returned unavailable error, with message: recvmsg: Invalid argument")));
}

TEST(WasNotBegun, HoldsOfCallsThatNoServerTook) {
  EXPECT_TRUE(WasNotBegun(Status::IOError(
      "Flight returned unavailable error, with message: failed to connect to all addresses; last "
      "error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused")));
  EXPECT_TRUE(WasNotBegun(WithFlight(Status::IOError("stopping. Detail: UNAVAILABLE"),
                                     FlightStatusCode::Unavailable, "NOT_BEGUN")));
  EXPECT_FALSE(WasNotBegun(WithFlight(Status::IOError("try again. Detail: UNAVAILABLE"),
                                      FlightStatusCode::Unavailable)));
  EXPECT_FALSE(WasNotBegun(
      Status::IOError("Flight returned unavailable error, with message: Socket closed")));
  EXPECT_FALSE(WasNotBegun(Status::OK()));
}

TEST(ErrorCode, IsTheProtocolsName) {
  EXPECT_EQ(ErrorCode(Error(ErrorKind::kDataLoss, "x")), "DATA_LOSS");
  EXPECT_EQ(ErrorCode(Status::IOError("x")), "INTERNAL");
}

}  // namespace
}  // namespace hangar::client
