#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <arrow/array/data.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/checked_cast.h>

namespace hangar {

/// Bit `index` of a bitmap.
inline bool BitAt(const uint8_t* bits, int64_t index) {
  return (bits[index >> 3] >> (index & 7) & 1) != 0;
}

/// 64 bits of a bitmap from bit `index` on, of which `count` are wanted; the others are zero.
inline uint64_t BitsAt(const uint8_t* bits, int64_t index, int64_t count) {
  const int64_t first_byte = index >> 3;
  const int64_t bytes = ((index + count + 7) >> 3) - first_byte;
  std::array<uint64_t, 2> words{};
  std::memcpy(words.data(), bits + first_byte, static_cast<size_t>(bytes));
  const auto shift = static_cast<unsigned>(index & 7);
  const uint64_t word = shift == 0 ? words[0] : words[0] >> shift | words[1] << (64 - shift);
  return count >= 64 ? word : word & ((uint64_t{1} << count) - 1);
}

/// Values of an array's buffer. What comes off a connection begins wherever its message put it, so
/// that values are loaded from any address; where processors can, that costs nothing.
template <typename T>
class LooseValues {
 public:
  /// From the array's first row on.
  LooseValues(const arrow::ArrayData& array, size_t buffer)
      : bytes_(array.buffers[buffer] == nullptr
                   ? nullptr
                   : array.buffers[buffer]->data() + array.offset * kWidth) {}

  T operator[](int64_t i) const {
    T value;
    std::memcpy(&value, bytes_ + i * kWidth, sizeof(T));
    return value;
  }
  LooseValues operator+(int64_t rows) const { return LooseValues(bytes_ + rows * kWidth); }
  const uint8_t* bytes() const { return bytes_; }

  bool is_aligned() const { return reinterpret_cast<uintptr_t>(bytes_) % alignof(T) == 0; }

 private:
  static constexpr int64_t kWidth = sizeof(T);
  explicit LooseValues(const uint8_t* bytes) : bytes_(bytes) {}

  const uint8_t* bytes_;
};

/// The valid ones of `count` values, without gaps, in `dense`. Returns how many they are.
template <typename T>
int64_t TakeValid(LooseValues<T> values, const uint8_t* validity, int64_t first_bit, int64_t count,
                  T* dense) {
  int64_t taken = 0;
  for (int64_t i = 0; i < count; i += 64) {
    const int64_t some = std::min<int64_t>(count - i, 64);
    uint64_t bits = BitsAt(validity, first_bit + i, some);
    if (bits == ~uint64_t{0}) {
      std::memcpy(dense + taken, (values + i).bytes(), 64 * sizeof(T));
      taken += 64;
      continue;
    }
    // Every value is written, and the next one over it unless it is valid: no branch to predict.
    for (int64_t j = 0; j < some; ++j) {
      dense[taken] = values[i + j];
      taken += static_cast<int64_t>(bits & 1);
      bits >>= 1;
    }
  }
  return taken;
}

/// How many bytes two strings begin with alike.
inline size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t size = std::min(a.size(), b.size());
  size_t same = 0;
  for (; same + sizeof(uint64_t) <= size; same += sizeof(uint64_t)) {
    uint64_t left;
    uint64_t right;
    std::memcpy(&left, a.data() + same, sizeof(left));
    std::memcpy(&right, b.data() + same, sizeof(right));
    // Bytes stand in a word from the lowest on.
    if (left != right) return same + static_cast<size_t>(std::countr_zero(left ^ right)) / 8;
  }
  while (same < size && a[same] == b[same]) ++same;
  return same;
}

/// Strings of an array of type (large_)utf8 or (large_)binary. `Value` may be called for valid
/// rows.
template <typename Offset>
class OffsetStrings {
 public:
  explicit OffsetStrings(const arrow::ArrayData& array)
      : offsets_(array, 1),
        bytes_(array.buffers[2] == nullptr ? nullptr : array.buffers[2]->data_as<char>()) {}

  std::string_view Value(int64_t row) const {
    return {bytes_ + offsets_[row], static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
  }
  int64_t Bytes(int64_t row, int64_t rows) const {
    return static_cast<int64_t>(offsets_[row + rows] - offsets_[row]);
  }

 private:
  const LooseValues<Offset> offsets_;
  const char* const bytes_;
};

/// The same of an array of type utf8_view or binary_view.
class ViewStrings {
 public:
  explicit ViewStrings(const arrow::ArrayData& array) : views_(array, 1), array_(array) {}

  std::string_view Value(int64_t row) const {
    const auto view = views_[row];
    const auto size = static_cast<size_t>(view.size());
    if (view.is_inline()) {
      constexpr size_t kInlineBegins = sizeof(int32_t);
      return {reinterpret_cast<const char*>((views_ + row).bytes()) + kInlineBegins, size};
    }
    const auto& buffer = array_.buffers[static_cast<size_t>(view.ref.buffer_index) + 2];
    return {buffer->data_as<char>() + view.ref.offset, size};
  }
  // Null rows may hold anything, so that what they take counts too, as far as it is a size.
  int64_t Bytes(int64_t row, int64_t rows) const {
    int64_t bytes = 0;
    for (int64_t i = row; i < row + rows; ++i) bytes += std::max(views_[i].size(), 0);
    return bytes;
  }

 private:
  const LooseValues<arrow::BinaryViewType::c_type> views_;
  const arrow::ArrayData& array_;
};

/// Calls `visit` with the bytes of each valid value of a leaf, in its storage type, until it
/// returns false. Numbers come as wide as Parquet stores them, booleans as one byte.
template <typename Visit>
void VisitLeafValues(const arrow::ArrayData& array, const Visit& visit);

namespace internal {

template <typename Value, typename Visit>
void VisitRows(const arrow::ArrayData& array, const Value& value, const Visit& visit) {
  const uint8_t* validity = array.MayHaveNulls() ? array.buffers[0]->data() : nullptr;
  for (int64_t row = 0; row < array.length; ++row) {
    if (validity != nullptr && !BitAt(validity, array.offset + row)) continue;
    if (!visit(value(row))) return;
  }
}

template <typename Stored, typename Visit>
void VisitWidened(const arrow::ArrayData& array, const Visit& visit) {
  const LooseValues<Stored> values(array, 1);
  int32_t wide = 0;
  VisitRows(
      array,
      [&](int64_t row) {
        wide = values[row];
        return std::string_view(reinterpret_cast<const char*>(&wide), sizeof(wide));
      },
      visit);
}

}  // namespace internal

template <typename Visit>
void VisitLeafValues(const arrow::ArrayData& array, const Visit& visit) {
  using arrow::Type;
  using arrow::internal::checked_cast;
  const auto strings = [&](const auto& values) {
    internal::VisitRows(array, [&](int64_t row) { return values.Value(row); }, visit);
  };
  switch (array.type->id()) {
    case Type::NA:
      return;
    case Type::BOOL: {
      char byte = 0;
      const auto bit = [&](int64_t row) {
        byte = BitAt(array.buffers[1]->data(), array.offset + row) ? 1 : 0;
        return std::string_view(&byte, 1);
      };
      return internal::VisitRows(array, bit, visit);
    }
    case Type::INT8:
      return internal::VisitWidened<int8_t>(array, visit);
    case Type::UINT8:
      return internal::VisitWidened<uint8_t>(array, visit);
    case Type::INT16:
      return internal::VisitWidened<int16_t>(array, visit);
    case Type::UINT16:
      return internal::VisitWidened<uint16_t>(array, visit);
    case Type::STRING:
    case Type::BINARY:
      return strings(OffsetStrings<int32_t>(array));
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return strings(OffsetStrings<int64_t>(array));
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return strings(ViewStrings(array));
    case Type::EXTENSION: {
      arrow::ArrayData storage = array;
      storage.type = checked_cast<const arrow::ExtensionType&>(*array.type).storage_type();
      return VisitLeafValues(storage, visit);
    }
    default: {
      const auto width = checked_cast<const arrow::FixedWidthType&>(*array.type).bit_width() / 8;
      const char* values = array.buffers[1]->data_as<char>() + array.offset * width;
      const auto fixed = [&](int64_t row) {
        return std::string_view(values + row * width, static_cast<size_t>(width));
      };
      return internal::VisitRows(array, fixed, visit);
    }
  }
}

}  // namespace hangar
