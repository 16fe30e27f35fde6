#include "flight/ticket.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

TicketContents Full() {
  TicketContents contents;
  contents.read = {.dataset =
                       "gr\xC3\xB6\xC3\x9F"
                       "e/\"x\".parquet",
                   .version = "v1",
                   .columns = {{"a", "b"}},
                   .offset_rows = 12,
                   .limit_rows = INT64_MAX};
  contents.compression = WireCompression::kLz4;
  return contents;
}

TEST(Ticket, ComesBackAsItWas) {
  const auto decoded = DecodeTicket(EncodeTicket(Full()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->read.dataset, Full().read.dataset);
  EXPECT_EQ(decoded->read.version, "v1");
  EXPECT_EQ(decoded->read.columns, Full().read.columns);
  EXPECT_EQ(decoded->read.offset_rows, 12);
  EXPECT_EQ(decoded->read.limit_rows, INT64_MAX);
  EXPECT_EQ(decoded->compression, WireCompression::kLz4);
  TicketContents bare;
  bare.read.dataset = "d";
  const auto decoded_bare = DecodeTicket(EncodeTicket(bare));
  ASSERT_TRUE(decoded_bare.ok());
  EXPECT_EQ(decoded_bare->read.version, std::nullopt);
  EXPECT_EQ(decoded_bare->read.columns, std::nullopt);
}

TEST(Ticket, ANameAloneReadsTheWholeDataset) {
  const auto decoded = DecodeTicket("uploaded.parquet");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->read.dataset, "uploaded.parquet");
  EXPECT_EQ(decoded->read.version, std::nullopt);
}

TEST(Ticket, AnyChangeOfAByteIsNoticed) {
  const std::string ticket = EncodeTicket(Full());
  for (size_t i = 1; i < ticket.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string changed = ticket;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto decoded = DecodeTicket(changed);
      ASSERT_FALSE(decoded.ok()) << i;
      EXPECT_EQ(KindOf(decoded.status()), ErrorKind::kInvalidArgument);
    }
  }
  for (size_t length = 0; length < ticket.size(); ++length) {
    EXPECT_FALSE(DecodeTicket(ticket.substr(0, length)).ok()) << length;
  }
}

}  // namespace
}  // namespace hangar
