#include "write/size_limited_object.h"

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory_store.h"

namespace hangar {
namespace {

TEST(SizeLimitedObject, TakesBytesUpToItsLimitAndRefusesTheNextOne) {
  const auto store = MakeMemoryStore();
  const auto object = LimitSize(store->Stage({}).ValueOrDie(), 10);
  const std::string bytes(11, 'x');
  EXPECT_TRUE(object->Append(bytes.data(), 6).ok());
  EXPECT_EQ(KindOf(object->Append(bytes.data(), 5)), ErrorKind::kResourceExhausted);
  EXPECT_TRUE(object->Append(bytes.data(), 4).ok());
  EXPECT_EQ(object->size_bytes(), 10);
  EXPECT_EQ(KindOf(object->Append(bytes.data(), 1)), ErrorKind::kResourceExhausted);
  EXPECT_TRUE(object->Seal().ok());
  EXPECT_EQ(object->OpenSealed().ValueOrDie()->info().size_bytes, 10);
  EXPECT_TRUE(object->Publish("whole", Precondition::None()).ok());
}

}  // namespace
}  // namespace hangar
