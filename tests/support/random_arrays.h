#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include <arrow/type_fwd.h>

// For tests: arrays of any storable type, and a rendering of values that is independent of how
// Arrow compares arrays.

namespace hangar::testing {

struct ArrayShape {
  int64_t length = 0;
  double null_share = 0;  ///< Of the slots of every nullable field, nested ones too.
};

/// A valid array of this type. Null lists have items and null structs values behind them, list
/// views overlap and are out of order, floats include NaN and -0.0, strings the empty one; every
/// call makes its dictionaries anew.
std::shared_ptr<arrow::Array> RandomArray(const std::shared_ptr<arrow::DataType>& type,
                                          const ArrayShape& shape, std::mt19937_64& random);

/// A storable type of at most `levels` further levels.
std::shared_ptr<arrow::DataType> RandomType(int levels, std::mt19937_64& random);

/// The value at `i` in full: floats by their bits (all NaN alike), dictionaries decoded, text and
/// bytes in hex. Equal values of one type, and only they, render alike.
std::string Render(const arrow::Array& array, int64_t i);

}  // namespace hangar::testing
