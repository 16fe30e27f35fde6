#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include <parquet/statistics.h>

namespace hangar {

// The least and the greatest value of a page or a column chunk, under the orders and rules that
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (ColumnOrder)
// sets: NaN does not count, a zero is -0.0 as the least and 0.0 as the greatest value.

/// Of numbers, in the order of T.
template <typename T>
class NumberBounds {
 public:
  void Add(const T* values, int64_t count) {
    // Several at once, or each comparison would wait for the one before it. In this form a NaN
    // compares false and changes nothing.
    constexpr int64_t kLanes = 8;
    std::array<T, kLanes> least;
    std::array<T, kLanes> greatest;
    least.fill(least_);
    greatest.fill(greatest_);
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const T value = values[i + static_cast<int64_t>(lane)];
        least[lane] = value < least[lane] ? value : least[lane];
        greatest[lane] = value > greatest[lane] ? value : greatest[lane];
      }
    }
    for (; i < count; ++i) {
      least[0] = values[i] < least[0] ? values[i] : least[0];
      greatest[0] = values[i] > greatest[0] ? values[i] : greatest[0];
    }
    least_ = *std::ranges::min_element(least);
    greatest_ = *std::ranges::max_element(greatest);
  }

  void Add(const NumberBounds& other) {
    least_ = std::min(least_, other.least_);
    greatest_ = std::max(greatest_, other.greatest_);
  }

  /// Sets them in `statistics` unless there is no value.
  void Encode(parquet::EncodedStatistics* statistics) const {
    if (!(least_ <= greatest_)) return;
    T least = least_;
    T greatest = greatest_;
    if constexpr (std::is_floating_point_v<T>) {
      if (least == 0) least = -T{0};
      if (greatest == 0) greatest = T{0};
    }
    statistics->set_min(Bytes(least)).set_max(Bytes(greatest));
    statistics->is_min_value_exact = true;
    statistics->is_max_value_exact = true;
  }

 private:
  using Limits = std::numeric_limits<T>;

  static std::string Bytes(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
  }

  T least_ = Limits::has_infinity ? Limits::infinity() : Limits::max();
  T greatest_ = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
};

/// Of strings of bytes, which compare as unsigned bytes.
class BytesBounds {
 public:
  void Add(std::string_view value) {
    const uint64_t prefix = Prefix(value);
    if (!any_) {
      any_ = true;
      least_ = greatest_ = value;
      least_prefix_ = greatest_prefix_ = prefix;
      return;
    }
    if (prefix <= least_prefix_ && value < least_) {
      least_ = value;
      least_prefix_ = prefix;
    }
    if (prefix >= greatest_prefix_ && value > greatest_) {
      greatest_ = value;
      greatest_prefix_ = prefix;
    }
  }

  void Add(const BytesBounds& other) {
    if (!other.any_) return;
    Add(other.least_);
    Add(other.greatest_);
  }

  /// To be called before the bytes of the values that were added go away.
  void Keep() {
    if (!any_) return;
    Keep(&least_, &least_copy_);
    Keep(&greatest_, &greatest_copy_);
  }

  void Encode(parquet::EncodedStatistics* statistics) const {
    if (!any_) return;
    statistics->set_min(std::string(least_)).set_max(std::string(greatest_));
    statistics->is_min_value_exact = true;
    statistics->is_max_value_exact = true;
  }

  void Clear() {
    any_ = false;
    least_ = greatest_ = {};
  }

 private:
  // The first eight bytes as a number that compares as they do.
  static uint64_t Prefix(std::string_view value) {
    uint64_t word = 0;
    if (value.size() >= sizeof(word)) {
      std::memcpy(&word, value.data(), sizeof(word));
      return std::byteswap(word);
    }
    for (size_t i = 0; i < value.size(); ++i) {
      word |= uint64_t{static_cast<uint8_t>(value[i])} << (56 - 8 * i);
    }
    return word;
  }

  static void Keep(std::string_view* value, std::string* copy) {
    if (value->data() == copy->data()) return;
    copy->assign(*value);
    *value = *copy;
  }

  bool any_ = false;
  std::string_view least_;
  std::string_view greatest_;
  uint64_t least_prefix_ = 0;
  uint64_t greatest_prefix_ = 0;
  std::string least_copy_;
  std::string greatest_copy_;
};

}  // namespace hangar
