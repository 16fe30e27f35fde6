#include "client/addresses.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar::client {
namespace {

using testing::ElementsAre;

TEST(ParseAddresses, TakesOneOrSeveralInTheirOrder) {
  EXPECT_THAT(*ParseAddresses("grpc://a:1"), ElementsAre("grpc://a:1"));
  EXPECT_THAT(*ParseAddresses("grpc+tls://b:1, grpc://a:1,grpc+unix:///s"),
              ElementsAre("grpc+tls://b:1", "grpc://a:1", "grpc+unix:///s"));
}

TEST(ParseAddresses, LeavesTheCommasOfAPathAlone) {
  EXPECT_THAT(*ParseAddresses("grpc+unix:///a,b,grpc+tcp://c:2"),
              ElementsAre("grpc+unix:///a,b", "grpc+tcp://c:2"));
}

TEST(ParseAddresses, RefusesWhatIsNoAddressAndWhatIsThereTwice) {
  std::string many = "grpc://a:1";
  for (int i = 2; i <= 65; ++i) many += ",grpc://a:" + std::to_string(i);
  for (const std::string& uri : {std::string(), std::string(","), std::string("grpc://a:1,"),
                                 std::string("grpc://a:1,b:2"), std::string("grpc://a:1,grpc://b"),
                                 std::string("grpc://a:1,grpc://a:1"), std::string("http://a:1"),
                                 std::string("a:1"), std::string("grpc://a:1 grpc://b:1"), many}) {
    EXPECT_EQ(KindOf(ParseAddresses(uri).status()), ErrorKind::kInvalidArgument) << uri;
  }
}

}  // namespace
}  // namespace hangar::client
