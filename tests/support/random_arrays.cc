#include "tests/support/random_arrays.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/key_value_metadata.h>

namespace hangar::testing {
namespace {

using arrow::ArrayData;
using arrow::Type;
using arrow::internal::checked_cast;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;
using Random = std::mt19937_64;
using TypePtr = std::shared_ptr<arrow::DataType>;

void Must(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

int64_t Pick(Random& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

bool Chance(Random& random, double share) {
  return std::uniform_real_distribution<double>(0, 1)(random) < share;
}

BufferPtr Allocate(int64_t size) {
  BufferPtr buffer = arrow::AllocateBuffer(size).ValueOrDie();
  if (size > 0) std::memset(buffer->mutable_data(), 0, static_cast<size_t>(size));
  return buffer;
}

BufferPtr RandomValidity(const ArrayShape& shape, Random& random) {
  if (shape.null_share == 0) return nullptr;
  BufferPtr bits = Allocate(arrow::bit_util::BytesForBits(shape.length));
  for (int64_t i = 0; i < shape.length; ++i) {
    arrow::bit_util::SetBitTo(bits->mutable_data(), i, !Chance(random, shape.null_share));
  }
  return bits;
}

template <typename Make>
ArrayPtr FixedWidth(const TypePtr& type, const ArrayShape& shape, Random& random, Make make) {
  using Value = decltype(make());
  BufferPtr values = Allocate(shape.length * static_cast<int64_t>(sizeof(Value)));
  for (int64_t i = 0; i < shape.length; ++i) values->mutable_data_as<Value>()[i] = make();
  return arrow::MakeArray(
      ArrayData::Make(type, shape.length, {RandomValidity(shape, random), std::move(values)}));
}

template <typename Float>
ArrayPtr Floats(const TypePtr& type, const ArrayShape& shape, Random& random) {
  return FixedWidth(type, shape, random, [&]() -> Float {
    switch (Pick(random, 0, 7)) {
      case 0:
        return std::numeric_limits<Float>::quiet_NaN();
      case 1:
        return -Float{0};
      case 2:
        return Float{0};
      case 3:
        return -std::numeric_limits<Float>::infinity();
      case 4:
        return std::numeric_limits<Float>::denorm_min();
      default:
        return static_cast<Float>(Pick(random, -9, 9)) / Float{8};
    }
  });
}

template <typename Int>
ArrayPtr Ints(const TypePtr& type, const ArrayShape& shape, Random& random,
              int64_t low = std::numeric_limits<int64_t>::min(),
              int64_t high = std::numeric_limits<int64_t>::max(), int64_t step = 1) {
  return FixedWidth(type, shape, random, [&]() -> Int {
    // Few distinct values among many, and the ends of the range.
    const int64_t kind = Pick(random, 0, 5);
    const int64_t value = kind == 0   ? low / step
                          : kind == 1 ? high / step
                          : kind == 2 ? Pick(random, low / step, high / step)
                                      : std::clamp(Pick(random, 0, 9), low / step, high / step);
    return static_cast<Int>(value * step);
  });
}

ArrayPtr Decimals(const TypePtr& type, const ArrayShape& shape, Random& random) {
  const auto& decimal = checked_cast<const arrow::DecimalType&>(*type);
  const int width = decimal.byte_width();
  const int digits = std::min(decimal.precision(), 18);
  const auto high = static_cast<int64_t>(std::pow(10, digits)) - 1;
  BufferPtr values = Allocate(shape.length * width);
  for (int64_t i = 0; i < shape.length; ++i) {
    const int64_t value = Pick(random, -high, high);
    uint8_t* out = values->mutable_data() + i * width;
    std::memset(out, value < 0 ? 0xFF : 0, static_cast<size_t>(width));
    std::memcpy(out, &value, static_cast<size_t>(std::min(width, 8)));
  }
  return arrow::MakeArray(
      ArrayData::Make(type, shape.length, {RandomValidity(shape, random), std::move(values)}));
}

ArrayPtr Bools(const ArrayShape& shape, Random& random) {
  BufferPtr bits = Allocate(arrow::bit_util::BytesForBits(shape.length));
  for (int64_t i = 0; i < shape.length; ++i) {
    arrow::bit_util::SetBitTo(bits->mutable_data(), i, Chance(random, 0.5));
  }
  return arrow::MakeArray(ArrayData::Make(arrow::boolean(), shape.length,
                                          {RandomValidity(shape, random), std::move(bits)}));
}

ArrayPtr Texts(const TypePtr& type, const ArrayShape& shape, Random& random) {
  static const std::vector<std::string> kTexts = {
      "", "a", "b", "Grüße", "a text that is longer than what a view holds inline", "0"};
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < shape.length; ++i) {
    if (Chance(random, shape.null_share)) {
      Must(builder.AppendNull());
    } else {
      Must(builder.Append(kTexts[static_cast<size_t>(Pick(random, 0, 5))]));
    }
  }
  ArrayPtr texts = builder.Finish().ValueOrDie();
  if (arrow::is_binary_or_binary_view(type->id())) {
    texts = arrow::compute::Cast(*texts, arrow::binary()).ValueOrDie();
  }
  return arrow::compute::Cast(*texts, type).ValueOrDie();
}

ArrayPtr FixedBytes(const TypePtr& type, const ArrayShape& shape, Random& random) {
  const int width = checked_cast<const arrow::FixedSizeBinaryType&>(*type).byte_width();
  BufferPtr bytes = Allocate(shape.length * width);
  for (int64_t i = 0; i < bytes->size(); ++i) {
    bytes->mutable_data()[i] = static_cast<uint8_t>(Pick(random, 0, 2));
  }
  return arrow::MakeArray(
      ArrayData::Make(type, shape.length, {RandomValidity(shape, random), std::move(bytes)}));
}

// ------------------------------------------------------------------------------------------ nested

ArrayPtr Child(const arrow::Field& field, int64_t length, const ArrayShape& parent,
               Random& random) {
  return RandomArray(field.type(), {length, field.nullable() ? parent.null_share : 0}, random);
}

template <typename Offset>
ArrayPtr Lists(const TypePtr& type, const ArrayShape& shape, Random& random) {
  // Items before the first list and after the last belong to none.
  BufferPtr offsets = Allocate((shape.length + 1) * static_cast<int64_t>(sizeof(Offset)));
  auto* out = offsets->mutable_data_as<Offset>();
  out[0] = static_cast<Offset>(Pick(random, 0, 2));
  for (int64_t i = 0; i < shape.length; ++i) {
    out[i + 1] = static_cast<Offset>(out[i] + static_cast<Offset>(Pick(random, 0, 3)));
  }
  ArrayPtr items = Child(*type->field(0), int64_t{out[shape.length]} + 1, shape, random);
  return arrow::MakeArray(ArrayData::Make(
      type, shape.length, {RandomValidity(shape, random), std::move(offsets)}, {items->data()}));
}

template <typename Offset>
ArrayPtr ListViews(const TypePtr& type, const ArrayShape& shape, Random& random) {
  const int64_t item_count = shape.length + 3;
  BufferPtr offsets = Allocate(shape.length * static_cast<int64_t>(sizeof(Offset)));
  BufferPtr sizes = Allocate(shape.length * static_cast<int64_t>(sizeof(Offset)));
  for (int64_t i = 0; i < shape.length; ++i) {
    offsets->mutable_data_as<Offset>()[i] = static_cast<Offset>(Pick(random, 0, shape.length));
    sizes->mutable_data_as<Offset>()[i] = static_cast<Offset>(Pick(random, 0, 3));
  }
  ArrayPtr items = Child(*type->field(0), item_count, shape, random);
  return arrow::MakeArray(ArrayData::Make(
      type, shape.length, {RandomValidity(shape, random), std::move(offsets), std::move(sizes)},
      {items->data()}));
}

ArrayPtr Dictionaries(const TypePtr& type, const ArrayShape& shape, Random& random) {
  const auto& dictionary = checked_cast<const arrow::DictionaryType&>(*type);
  ArrayPtr values = RandomArray(dictionary.value_type(), {Pick(random, 1, 5), 0}, random);
  ArrayPtr positions = Ints<int32_t>(arrow::int32(), shape, random, 0, values->length() - 1);
  ArrayPtr indices = arrow::compute::Cast(*positions, dictionary.index_type()).ValueOrDie();
  return arrow::DictionaryArray::FromArrays(type, indices, values).ValueOrDie();
}

ArrayPtr Structs(const TypePtr& type, const ArrayShape& shape, Random& random) {
  std::vector<std::shared_ptr<ArrayData>> children;
  for (const auto& field : type->fields()) {
    children.push_back(Child(*field, shape.length, shape, random)->data());
  }
  return arrow::MakeArray(
      ArrayData::Make(type, shape.length, {RandomValidity(shape, random)}, std::move(children)));
}

ArrayPtr FixedSizeLists(const TypePtr& type, const ArrayShape& shape, Random& random) {
  const int32_t size = checked_cast<const arrow::FixedSizeListType&>(*type).list_size();
  ArrayPtr items = Child(*type->field(0), shape.length * size, shape, random);
  return arrow::MakeArray(
      ArrayData::Make(type, shape.length, {RandomValidity(shape, random)}, {items->data()}));
}

ArrayPtr Timestamps(const TypePtr& type, const ArrayShape& shape, Random& random) {
  // Seconds are stored as milliseconds, so only those are bounded.
  const bool seconds =
      checked_cast<const arrow::TimestampType&>(*type).unit() == arrow::TimeUnit::SECOND;
  const int64_t bound =
      seconds ? std::numeric_limits<int64_t>::max() / 1000 : std::numeric_limits<int64_t>::max();
  return Ints<int64_t>(type, shape, random, -bound, bound);
}

ArrayPtr Times(const TypePtr& type, const ArrayShape& shape, Random& random) {
  constexpr int64_t kSecondsPerDay = 86'400;
  switch (checked_cast<const arrow::TimeType&>(*type).unit()) {
    case arrow::TimeUnit::SECOND:
      return Ints<int32_t>(type, shape, random, 0, kSecondsPerDay - 1);
    case arrow::TimeUnit::MILLI:
      return Ints<int32_t>(type, shape, random, 0, kSecondsPerDay * 1'000 - 1);
    case arrow::TimeUnit::MICRO:
      return Ints<int64_t>(type, shape, random, 0, kSecondsPerDay * 1'000'000 - 1);
    default:
      return Ints<int64_t>(type, shape, random, 0, kSecondsPerDay * 1'000'000'000 - 1);
  }
}

ArrayPtr Nested(const TypePtr& type, const ArrayShape& shape, Random& random) {
  switch (type->id()) {
    case Type::LIST:
    case Type::MAP:
      return Lists<int32_t>(type, shape, random);
    case Type::LARGE_LIST:
      return Lists<int64_t>(type, shape, random);
    case Type::LIST_VIEW:
      return ListViews<int32_t>(type, shape, random);
    case Type::LARGE_LIST_VIEW:
      return ListViews<int64_t>(type, shape, random);
    case Type::FIXED_SIZE_LIST:
      return FixedSizeLists(type, shape, random);
    case Type::STRUCT:
      return Structs(type, shape, random);
    case Type::DICTIONARY:
      return Dictionaries(type, shape, random);
    default: {
      const auto& extension = checked_cast<const arrow::ExtensionType&>(*type);
      return arrow::ExtensionType::WrapArray(type,
                                             RandomArray(extension.storage_type(), shape, random));
    }
  }
}

std::string Hex(const uint8_t* bytes, int64_t length) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (int64_t i = 0; i < length; ++i) {
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 15];
  }
  return hex;
}

std::string RenderBits(const arrow::Array& array, int64_t i) {
  const ArrayData& data = *array.data();
  if (array.type_id() == Type::BOOL) {
    return arrow::bit_util::GetBit(data.buffers[1]->data(), data.offset + i) ? "true" : "false";
  }
  if (array.type_id() == Type::FLOAT && std::isnan(data.GetValues<float>(1)[i])) return "nan";
  if (array.type_id() == Type::DOUBLE && std::isnan(data.GetValues<double>(1)[i])) return "nan";
  if (array.type_id() == Type::HALF_FLOAT && (data.GetValues<uint16_t>(1)[i] & 0x7FFF) > 0x7C00) {
    return "nan";
  }
  const int width = array.type()->byte_width();
  return Hex(data.buffers[1]->data() + (data.offset + i) * width, width);
}

std::string RenderText(std::string_view text) {
  return "'" + Hex(reinterpret_cast<const uint8_t*>(text.data()), std::ssize(text)) + "'";
}

std::string RenderItems(const arrow::Array& items) {
  std::string text = "[";
  for (int64_t i = 0; i < items.length(); ++i) text += Render(items, i) + ",";
  return text + "]";
}

TypePtr RandomLeafType(Random& random) {
  static const std::vector<TypePtr> kLeaves = {
      arrow::null(),
      arrow::boolean(),
      arrow::int8(),
      arrow::uint16(),
      arrow::int32(),
      arrow::uint64(),
      arrow::float16(),
      arrow::float32(),
      arrow::float64(),
      arrow::utf8(),
      arrow::large_utf8(),
      arrow::utf8_view(),
      arrow::binary(),
      arrow::large_binary(),
      arrow::binary_view(),
      arrow::fixed_size_binary(3),
      arrow::fixed_size_binary(0),
      arrow::date32(),
      arrow::date64(),
      arrow::time32(arrow::TimeUnit::SECOND),
      arrow::time64(arrow::TimeUnit::NANO),
      arrow::timestamp(arrow::TimeUnit::SECOND, "Europe/Paris"),
      arrow::timestamp(arrow::TimeUnit::MICRO),
      arrow::timestamp(arrow::TimeUnit::NANO, "+05:30"),
      arrow::duration(arrow::TimeUnit::SECOND),
      arrow::decimal32(7, 2),
      arrow::decimal64(15, 0),
      arrow::decimal128(38, 10),
      arrow::decimal256(76, 3),
      arrow::decimal128(4, 6),
      arrow::decimal128(5, -3),
  };
  return kLeaves[static_cast<size_t>(Pick(random, 0, std::ssize(kLeaves) - 1))];
}

std::shared_ptr<arrow::Field> RandomField(std::string name, int levels, Random& random,
                                          bool never_null = false) {
  TypePtr type = RandomType(levels, random);
  auto field = arrow::field(std::move(name), type, !never_null && Chance(random, 0.7));
  if (Chance(random, 0.2)) {
    field = field->WithMetadata(arrow::key_value_metadata({"unit"}, {"m/s"}));
  }
  return field;
}

}  // namespace

ArrayPtr RandomArray(const TypePtr& type, const ArrayShape& shape, Random& random) {
  constexpr int64_t kMillisPerDay = 86'400'000;
  switch (type->id()) {
    case Type::NA:
      return std::make_shared<arrow::NullArray>(shape.length);
    case Type::BOOL:
      return Bools(shape, random);
    case Type::INT8:
      return Ints<int8_t>(type, shape, random, -128, 127);
    case Type::UINT8:
      return Ints<uint8_t>(type, shape, random, 0, 255);
    case Type::INT16:
      return Ints<int16_t>(type, shape, random, -32768, 32767);
    case Type::UINT16:
      return Ints<uint16_t>(type, shape, random, 0, 65535);
    case Type::INT32:
    case Type::DATE32:
      return Ints<int32_t>(type, shape, random, std::numeric_limits<int32_t>::min(),
                           std::numeric_limits<int32_t>::max());
    case Type::UINT32:
      return Ints<uint32_t>(type, shape, random, 0, std::numeric_limits<uint32_t>::max());
    case Type::INT64:
    case Type::UINT64:
    case Type::DURATION:
      return Ints<int64_t>(type, shape, random);
    case Type::DATE64:
      return Ints<int64_t>(type, shape, random, std::numeric_limits<int64_t>::min(),
                           std::numeric_limits<int64_t>::max(), kMillisPerDay);
    case Type::HALF_FLOAT:
      return Ints<uint16_t>(type, shape, random, 0, 65535);
    case Type::FLOAT:
      return Floats<float>(type, shape, random);
    case Type::DOUBLE:
      return Floats<double>(type, shape, random);
    case Type::TIMESTAMP:
      return Timestamps(type, shape, random);
    case Type::TIME32:
    case Type::TIME64:
      return Times(type, shape, random);
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return Decimals(type, shape, random);
    case Type::FIXED_SIZE_BINARY:
      return FixedBytes(type, shape, random);
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
      return Texts(type, shape, random);
    default:
      return Nested(type, shape, random);
  }
}

TypePtr RandomType(int levels, Random& random) {
  if (levels == 0) return RandomLeafType(random);
  switch (Pick(random, 0, 11)) {
    case 0:
      return arrow::list(RandomField("item", levels - 1, random));
    case 1:
      return arrow::large_list(RandomField("element", levels - 1, random));
    case 2:
      return arrow::list_view(RandomField("x", levels - 1, random));
    case 3:
      return arrow::large_list_view(RandomField("", levels - 1, random));
    case 4:
      return arrow::fixed_size_list(RandomField("item", levels - 1, random),
                                    static_cast<int32_t>(Pick(random, 0, 3)));
    case 5: {
      TypePtr key = RandomLeafType(random);
      if (key->id() == Type::NA) key = arrow::utf8();
      return std::make_shared<arrow::MapType>(
          arrow::field("k", key, false), RandomField("v", levels - 1, random), Chance(random, 0.5));
    }
    case 6: {
      TypePtr values = RandomType(levels - 1, random);
      return arrow::dictionary(Chance(random, 0.5) ? arrow::int8() : arrow::uint64(), values,
                               Chance(random, 0.5));
    }
    case 7:
    case 8:
    case 9: {
      arrow::FieldVector fields;
      const int64_t count = Pick(random, 1, 3);
      for (int64_t i = 0; i < count; ++i) {
        // Names may repeat.
        fields.push_back(RandomField(std::string(1, static_cast<char>('a' + Pick(random, 0, 3))),
                                     levels - 1, random));
      }
      return arrow::struct_(std::move(fields));
    }
    default:
      return RandomLeafType(random);
  }
}

std::string Render(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return "null";
  switch (array.type_id()) {
    case Type::EXTENSION:
      return Render(*checked_cast<const arrow::ExtensionArray&>(array).storage(), i);
    case Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryArray&>(array);
      return Render(*dictionary.dictionary(), dictionary.GetValueIndex(i));
    }
    case Type::STRUCT: {
      const auto& structs = checked_cast<const arrow::StructArray&>(array);
      std::string text = "{";
      for (int f = 0; f < structs.num_fields(); ++f) text += Render(*structs.field(f), i) + ",";
      return text + "}";
    }
    case Type::LIST:
    case Type::MAP:
      return RenderItems(*checked_cast<const arrow::ListArray&>(array).value_slice(i));
    case Type::LARGE_LIST:
      return RenderItems(*checked_cast<const arrow::LargeListArray&>(array).value_slice(i));
    case Type::LIST_VIEW:
      return RenderItems(*checked_cast<const arrow::ListViewArray&>(array).value_slice(i));
    case Type::LARGE_LIST_VIEW:
      return RenderItems(*checked_cast<const arrow::LargeListViewArray&>(array).value_slice(i));
    case Type::FIXED_SIZE_LIST:
      return RenderItems(*checked_cast<const arrow::FixedSizeListArray&>(array).value_slice(i));
    case Type::STRING:
    case Type::BINARY:
      return RenderText(checked_cast<const arrow::BinaryArray&>(array).GetView(i));
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return RenderText(checked_cast<const arrow::LargeBinaryArray&>(array).GetView(i));
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return RenderText(checked_cast<const arrow::BinaryViewArray&>(array).GetView(i));
    default:
      return RenderBits(array, i);
  }
}

}  // namespace hangar::testing
