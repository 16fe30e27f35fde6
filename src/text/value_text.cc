#include "text/value_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <format>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/array_run_end.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <arrow/util/float16.h>
#include <arrow/util/ree_util.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

using arrow::TimeUnit;

constexpr char kReplacement[] = "\xEF\xBF\xBD";

template <typename T>
void AppendNumber(T value, std::string* out) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out->append(buffer.data(), end);
}

template <typename T>
void AppendFloat(T value, TextStyle style, std::string* out) {
  if (!std::isfinite(value)) {
    if (style == TextStyle::kJson) {
      *out += "null";
    } else {
      *out += std::isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf";
    }
    return;
  }
  const size_t start = out->size();
  AppendNumber(value, out);
  // "3" would come back as an integer.
  if (out->find_first_of(".e", start) == std::string::npos) *out += ".0";
}

void AppendPadded(int64_t value, int digits, std::string* out) {
  std::array<char, 20> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  const int64_t length = end - buffer.data();
  if (length < digits) out->append(static_cast<size_t>(digits - length), '0');
  out->append(buffer.data(), end);
}

struct UnitOfTime {
  int64_t per_second;
  int digits;
};

UnitOfTime Of(TimeUnit::type unit) {
  switch (unit) {
    case TimeUnit::SECOND:
      return {1, 0};
    case TimeUnit::MILLI:
      return {1'000, 3};
    case TimeUnit::MICRO:
      return {1'000'000, 6};
    case TimeUnit::NANO:
      return {1'000'000'000, 9};
  }
  return {1, 0};
}

struct Split {
  int64_t whole;
  int64_t rest;  // Never negative.
};

Split FloorDivide(int64_t value, int64_t by) {
  const int64_t whole = value / by - (value % by < 0 ? 1 : 0);
  const int64_t rest = value % by;
  return {whole, rest < 0 ? rest + by : rest};
}

// "2026-01-31"; the bare number of days where it lies beyond what the calendar here reaches.
bool AppendDate(int64_t days, std::string* out) {
  constexpr int64_t kDaysMax = 11'000'000;  // About the year 32,000.
  if (days < -kDaysMax || days > kDaysMax) return false;
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
  int year = static_cast<int>(date.year());
  if (year < 0) {
    *out += '-';
    year = -year;
  }
  AppendPadded(year, 4, out);
  *out += '-';
  AppendPadded(static_cast<unsigned>(date.month()), 2, out);
  *out += '-';
  AppendPadded(static_cast<unsigned>(date.day()), 2, out);
  return true;
}

void AppendFraction(int64_t fraction, UnitOfTime unit, std::string* out) {
  if (unit.digits == 0) return;
  *out += '.';
  AppendPadded(fraction, unit.digits, out);
}

void AppendTimeOfDay(int64_t seconds, int64_t fraction, UnitOfTime unit, std::string* out) {
  AppendPadded(seconds / 3600, 2, out);
  *out += ':';
  AppendPadded(seconds / 60 % 60, 2, out);
  *out += ':';
  AppendPadded(seconds % 60, 2, out);
  AppendFraction(fraction, unit, out);
}

void AppendTimestamp(int64_t value, const arrow::TimestampType& type, std::string* out) {
  const UnitOfTime unit = Of(type.unit());
  const Split seconds = FloorDivide(value, unit.per_second);
  const Split days = FloorDivide(seconds.whole, 86'400);
  if (!AppendDate(days.whole, out)) return AppendNumber(value, out);
  *out += 'T';
  AppendTimeOfDay(days.rest, seconds.rest, unit, out);
  if (!type.timezone().empty()) *out += 'Z';
}

// The seconds of an ISO 8601 duration, "1.5S"; nothing is trimmed but a fraction of zero.
void AppendSeconds(int64_t value, UnitOfTime unit, std::string* out) {
  if (value < 0) *out += '-';
  // Without negating the lowest value, which has no positive counterpart.
  const auto magnitude =
      value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  const auto per_second = static_cast<uint64_t>(unit.per_second);
  AppendNumber(magnitude / per_second, out);
  const auto fraction = static_cast<int64_t>(magnitude % per_second);
  if (fraction != 0) AppendFraction(fraction, unit, out);
  *out += 'S';
}

// Nulls are the same for every type.
template <typename ArrayType>
class WriterOf : public ValueWriter {
 public:
  WriterOf(std::shared_ptr<arrow::Array> array, TextStyle style)
      : holder_(std::move(array)), array_(static_cast<const ArrayType&>(*holder_)), style_(style) {}

  void Append(int64_t row, std::string* out) const final {
    if (!array_.IsNull(row)) return AppendValid(row, out);
    if (style_ == TextStyle::kJson) *out += "null";
  }

 protected:
  virtual void AppendValid(int64_t row, std::string* out) const = 0;

  const ArrayType& array() const { return array_; }
  TextStyle style() const { return style_; }

 private:
  const std::shared_ptr<arrow::Array> holder_;
  const ArrayType& array_;
  const TextStyle style_;
};

// A type whose values `append(array, row, style, out)` writes.
template <typename ArrayType, typename AppendFunction>
class LeafWriter final : public WriterOf<ArrayType> {
 public:
  LeafWriter(std::shared_ptr<arrow::Array> array, TextStyle style, AppendFunction append)
      : WriterOf<ArrayType>(std::move(array), style), append_(std::move(append)) {}

 private:
  void AppendValid(int64_t row, std::string* out) const override {
    append_(this->array(), row, this->style(), out);
  }
  const AppendFunction append_;
};

template <typename ArrayType, typename AppendFunction>
std::unique_ptr<ValueWriter> Leaf(const std::shared_ptr<arrow::Array>& array, TextStyle style,
                                  AppendFunction append) {
  return std::make_unique<LeafWriter<ArrayType, AppendFunction>>(array, style, std::move(append));
}

// A leaf whose text needs no escapes, such as a date: in quotes as JSON, bare as plain text.
template <typename ArrayType, typename AppendFunction>
std::unique_ptr<ValueWriter> QuotedLeaf(const std::shared_ptr<arrow::Array>& array, TextStyle style,
                                        AppendFunction append) {
  return Leaf<ArrayType>(
      array, style,
      [append](const ArrayType& values, int64_t row, TextStyle how, std::string* out) {
        if (how == TextStyle::kJson) *out += '"';
        append(values, row, out);
        if (how == TextStyle::kJson) *out += '"';
      });
}

template <typename ArrayType>
std::unique_ptr<ValueWriter> NumberWriter(const std::shared_ptr<arrow::Array>& array,
                                          TextStyle style) {
  return Leaf<ArrayType>(array, style,
                         [](const ArrayType& values, int64_t row, TextStyle how, std::string* out) {
                           const auto value = values.Value(row);
                           if constexpr (std::is_floating_point_v<decltype(values.Value(row))>) {
                             AppendFloat(value, how, out);
                           } else {
                             AppendNumber(value, out);
                           }
                         });
}

template <typename ArrayType>
std::unique_ptr<ValueWriter> TextWriter(const std::shared_ptr<arrow::Array>& array,
                                        TextStyle style) {
  return Leaf<ArrayType>(array, style,
                         [](const ArrayType& values, int64_t row, TextStyle how, std::string* out) {
                           if (how == TextStyle::kJson)
                             return AppendJsonString(values.GetView(row), out);
                           *out += values.GetView(row);
                         });
}

template <typename ArrayType>
std::unique_ptr<ValueWriter> BinaryWriter(const std::shared_ptr<arrow::Array>& array,
                                          TextStyle style) {
  return QuotedLeaf<ArrayType>(array, style,
                               [](const ArrayType& values, int64_t row, std::string* out) {
                                 *out += arrow::util::base64_encode(values.GetView(row));
                               });
}

template <typename ArrayType>
std::unique_ptr<ValueWriter> DecimalWriter(const std::shared_ptr<arrow::Array>& array,
                                           TextStyle style) {
  return QuotedLeaf<ArrayType>(array, style,
                               [](const ArrayType& values, int64_t row, std::string* out) {
                                 *out += values.FormatValue(row);
                               });
}

template <typename ArrayType>
std::unique_ptr<ValueWriter> TimeWriter(const std::shared_ptr<arrow::Array>& array,
                                        TextStyle style) {
  const auto unit = Of(static_cast<const arrow::TimeType&>(*array->type()).unit());
  return QuotedLeaf<ArrayType>(array, style,
                               [unit](const ArrayType& values, int64_t row, std::string* out) {
                                 const Split time = FloorDivide(values.Value(row), unit.per_second);
                                 AppendTimeOfDay(time.whole, time.rest, unit, out);
                               });
}

std::unique_ptr<ValueWriter> Date32Writer(const std::shared_ptr<arrow::Array>& array,
                                          TextStyle style) {
  return QuotedLeaf<arrow::Date32Array>(
      array, style, [](const arrow::Date32Array& values, int64_t row, std::string* out) {
        if (!AppendDate(values.Value(row), out)) AppendNumber(values.Value(row), out);
      });
}

std::unique_ptr<ValueWriter> Date64Writer(const std::shared_ptr<arrow::Array>& array,
                                          TextStyle style) {
  return QuotedLeaf<arrow::Date64Array>(
      array, style, [](const arrow::Date64Array& values, int64_t row, std::string* out) {
        const int64_t days = FloorDivide(values.Value(row), 86'400'000).whole;
        if (!AppendDate(days, out)) AppendNumber(values.Value(row), out);
      });
}

std::unique_ptr<ValueWriter> TimestampWriter(const std::shared_ptr<arrow::Array>& array,
                                             TextStyle style) {
  return QuotedLeaf<arrow::TimestampArray>(
      array, style, [](const arrow::TimestampArray& values, int64_t row, std::string* out) {
        AppendTimestamp(values.Value(row), static_cast<const arrow::TimestampType&>(*values.type()),
                        out);
      });
}

std::unique_ptr<ValueWriter> DurationWriter(const std::shared_ptr<arrow::Array>& array,
                                            TextStyle style) {
  const auto unit = Of(static_cast<const arrow::DurationType&>(*array->type()).unit());
  return QuotedLeaf<arrow::DurationArray>(
      array, style, [unit](const arrow::DurationArray& values, int64_t row, std::string* out) {
        *out += "PT";
        AppendSeconds(values.Value(row), unit, out);
      });
}

std::unique_ptr<ValueWriter> IntervalWriter(const std::shared_ptr<arrow::Array>& array,
                                            TextStyle style) {
  switch (array->type_id()) {
    case arrow::Type::INTERVAL_MONTHS:
      return QuotedLeaf<arrow::MonthIntervalArray>(
          array, style, [](const arrow::MonthIntervalArray& values, int64_t row, std::string* out) {
            *out += std::format("P{}M", values.Value(row));
          });
    case arrow::Type::INTERVAL_DAY_TIME:
      return QuotedLeaf<arrow::DayTimeIntervalArray>(
          array, style,
          [](const arrow::DayTimeIntervalArray& values, int64_t row, std::string* out) {
            *out += std::format("P{}DT", values.GetValue(row).days);
            AppendSeconds(values.GetValue(row).milliseconds, Of(TimeUnit::MILLI), out);
          });
    default:
      return QuotedLeaf<arrow::MonthDayNanoIntervalArray>(
          array, style,
          [](const arrow::MonthDayNanoIntervalArray& values, int64_t row, std::string* out) {
            const auto value = values.GetValue(row);
            *out += std::format("P{}M{}DT", value.months, value.days);
            AppendSeconds(value.nanoseconds, Of(TimeUnit::NANO), out);
          });
  }
}

// Every list-like type: a run of a child array.
template <typename ArrayType>
class ListWriter final : public WriterOf<ArrayType> {
 public:
  static arrow::Result<std::unique_ptr<ValueWriter>> Make(
      const std::shared_ptr<arrow::Array>& array, TextStyle style) {
    const auto& list = static_cast<const ArrayType&>(*array);
    ARROW_ASSIGN_OR_RAISE(auto values, MakeValueWriter(list.values(), TextStyle::kJson));
    return std::unique_ptr<ValueWriter>(new ListWriter(array, style, std::move(values)));
  }

 private:
  ListWriter(std::shared_ptr<arrow::Array> array, TextStyle style,
             std::unique_ptr<ValueWriter> values)
      : WriterOf<ArrayType>(std::move(array), style), values_(std::move(values)) {}

  void AppendValid(int64_t row, std::string* out) const override {
    const int64_t start = this->array().value_offset(row);
    const int64_t length = this->array().value_length(row);
    *out += '[';
    for (int64_t i = 0; i < length; ++i) {
      if (i > 0) *out += ',';
      values_->Append(start + i, out);
    }
    *out += ']';
  }

  const std::unique_ptr<ValueWriter> values_;
};

class MapWriter final : public WriterOf<arrow::MapArray> {
 public:
  static arrow::Result<std::unique_ptr<ValueWriter>> Make(
      const std::shared_ptr<arrow::Array>& array, TextStyle style) {
    const auto& map = static_cast<const arrow::MapArray&>(*array);
    ARROW_ASSIGN_OR_RAISE(auto keys, MakeValueWriter(map.keys(), TextStyle::kJson));
    ARROW_ASSIGN_OR_RAISE(auto items, MakeValueWriter(map.items(), TextStyle::kJson));
    return std::unique_ptr<ValueWriter>(
        new MapWriter(array, style, std::move(keys), std::move(items)));
  }

 private:
  MapWriter(std::shared_ptr<arrow::Array> array, TextStyle style, std::unique_ptr<ValueWriter> keys,
            std::unique_ptr<ValueWriter> items)
      : WriterOf(std::move(array), style),
        keys_(std::move(keys)),
        items_(std::move(items)),
        is_object_(arrow::is_string(this->array().map_type()->key_type()->id())) {}

  void AppendValid(int64_t row, std::string* out) const override {
    *out += is_object_ ? '{' : '[';
    const int64_t start = array().value_offset(row);
    for (int64_t i = start; i < start + array().value_length(row); ++i) {
      if (i > start) *out += ',';
      if (!is_object_) *out += "{\"key\":";
      keys_->Append(i, out);
      *out += is_object_ ? ":" : ",\"value\":";
      items_->Append(i, out);
      if (!is_object_) *out += '}';
    }
    *out += is_object_ ? '}' : ']';
  }

  const std::unique_ptr<ValueWriter> keys_;
  const std::unique_ptr<ValueWriter> items_;
  const bool is_object_;
};

class StructWriter final : public WriterOf<arrow::StructArray> {
 public:
  static arrow::Result<std::unique_ptr<ValueWriter>> Make(
      const std::shared_ptr<arrow::Array>& array, TextStyle style) {
    const auto& values = static_cast<const arrow::StructArray&>(*array);
    std::vector<std::pair<std::string, std::unique_ptr<ValueWriter>>> fields;
    for (int i = 0; i < values.num_fields(); ++i) {
      std::string name;
      AppendJsonString(values.type()->field(i)->name(), &name);
      ARROW_ASSIGN_OR_RAISE(auto writer, MakeValueWriter(values.field(i), TextStyle::kJson));
      fields.emplace_back(name + ":", std::move(writer));
    }
    return std::unique_ptr<ValueWriter>(new StructWriter(array, style, std::move(fields)));
  }

 private:
  StructWriter(std::shared_ptr<arrow::Array> array, TextStyle style,
               std::vector<std::pair<std::string, std::unique_ptr<ValueWriter>>> fields)
      : WriterOf(std::move(array), style), fields_(std::move(fields)) {}

  void AppendValid(int64_t row, std::string* out) const override {
    *out += '{';
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (i > 0) *out += ',';
      *out += fields_[i].first;
      fields_[i].second->Append(row, out);
    }
    *out += '}';
  }

  const std::vector<std::pair<std::string, std::unique_ptr<ValueWriter>>> fields_;
};

// A type whose value is one of a child array's: `position(array, row)` tells which child and where.
template <typename ArrayType, typename PositionFunction>
class IndirectWriter final : public WriterOf<ArrayType> {
 public:
  IndirectWriter(std::shared_ptr<arrow::Array> array, TextStyle style,
                 std::vector<std::unique_ptr<ValueWriter>> children, PositionFunction position)
      : WriterOf<ArrayType>(std::move(array), style),
        children_(std::move(children)),
        position_(std::move(position)) {}

 private:
  void AppendValid(int64_t row, std::string* out) const override {
    const auto [child, at] = position_(this->array(), row);
    children_[static_cast<size_t>(child)]->Append(at, out);
  }

  const std::vector<std::unique_ptr<ValueWriter>> children_;
  const PositionFunction position_;
};

template <typename ArrayType, typename PositionFunction>
arrow::Result<std::unique_ptr<ValueWriter>> Indirect(
    const std::shared_ptr<arrow::Array>& array, TextStyle style,
    const std::vector<std::shared_ptr<arrow::Array>>& child_arrays, PositionFunction position) {
  std::vector<std::unique_ptr<ValueWriter>> children;
  for (const auto& child : child_arrays) {
    ARROW_ASSIGN_OR_RAISE(auto writer, MakeValueWriter(child, style));
    children.push_back(std::move(writer));
  }
  return std::make_unique<IndirectWriter<ArrayType, PositionFunction>>(
      array, style, std::move(children), std::move(position));
}

using Position = std::pair<int, int64_t>;

arrow::Result<std::unique_ptr<ValueWriter>> MakeIndirectWriter(
    const std::shared_ptr<arrow::Array>& array, TextStyle style) {
  if (array->type_id() == arrow::Type::DICTIONARY) {
    const auto& values = static_cast<const arrow::DictionaryArray&>(*array);
    return Indirect<arrow::DictionaryArray>(
        array, style, {values.dictionary()},
        [](const arrow::DictionaryArray& dictionary, int64_t row) {
          return Position{0, dictionary.GetValueIndex(row)};
        });
  }
  if (array->type_id() == arrow::Type::RUN_END_ENCODED) {
    const auto& values = static_cast<const arrow::RunEndEncodedArray&>(*array);
    return Indirect<arrow::RunEndEncodedArray>(
        array, style, {values.values()}, [](const arrow::RunEndEncodedArray& runs, int64_t row) {
          const arrow::ArraySpan span(*runs.data());
          return Position{0, arrow::ree_util::FindPhysicalIndex(span, row, span.offset)};
        });
  }
  const auto& values = static_cast<const arrow::UnionArray&>(*array);
  std::vector<std::shared_ptr<arrow::Array>> children;
  for (int i = 0; i < values.num_fields(); ++i) children.push_back(values.field(i));
  if (array->type_id() == arrow::Type::DENSE_UNION) {
    return Indirect<arrow::DenseUnionArray>(
        array, style, children, [](const arrow::DenseUnionArray& value, int64_t row) {
          return Position{value.child_id(row), value.value_offset(row)};
        });
  }
  return Indirect<arrow::SparseUnionArray>(array, style, children,
                                           [](const arrow::SparseUnionArray& value, int64_t row) {
                                             return Position{value.child_id(row), row};
                                           });
}

std::unique_ptr<ValueWriter> BooleanWriter(const std::shared_ptr<arrow::Array>& array,
                                           TextStyle style) {
  return Leaf<arrow::BooleanArray>(
      array, style,
      [](const arrow::BooleanArray& values, int64_t row, TextStyle, std::string* out) {
        *out += values.Value(row) ? "true" : "false";
      });
}

std::unique_ptr<ValueWriter> HalfFloatWriter(const std::shared_ptr<arrow::Array>& array,
                                             TextStyle style) {
  return Leaf<arrow::HalfFloatArray>(
      array, style,
      [](const arrow::HalfFloatArray& values, int64_t row, TextStyle how, std::string* out) {
        AppendFloat(arrow::util::Float16::FromBits(values.Value(row)).ToFloat(), how, out);
      });
}

std::unique_ptr<ValueWriter> NullWriter(const std::shared_ptr<arrow::Array>& array,
                                        TextStyle style) {
  return Leaf<arrow::NullArray>(array, style,
                                [](const arrow::NullArray&, int64_t, TextStyle, std::string*) {});
}

// Types that hold no others; null for those that do.
std::unique_ptr<ValueWriter> MakeLeafWriter(const std::shared_ptr<arrow::Array>& array,
                                            TextStyle style) {
  switch (array->type_id()) {
    case arrow::Type::NA:
      return NullWriter(array, style);
    case arrow::Type::BOOL:
      return BooleanWriter(array, style);
    case arrow::Type::INT8:
      return NumberWriter<arrow::Int8Array>(array, style);
    case arrow::Type::INT16:
      return NumberWriter<arrow::Int16Array>(array, style);
    case arrow::Type::INT32:
      return NumberWriter<arrow::Int32Array>(array, style);
    case arrow::Type::INT64:
      return NumberWriter<arrow::Int64Array>(array, style);
    case arrow::Type::UINT8:
      return NumberWriter<arrow::UInt8Array>(array, style);
    case arrow::Type::UINT16:
      return NumberWriter<arrow::UInt16Array>(array, style);
    case arrow::Type::UINT32:
      return NumberWriter<arrow::UInt32Array>(array, style);
    case arrow::Type::UINT64:
      return NumberWriter<arrow::UInt64Array>(array, style);
    case arrow::Type::HALF_FLOAT:
      return HalfFloatWriter(array, style);
    case arrow::Type::FLOAT:
      return NumberWriter<arrow::FloatArray>(array, style);
    case arrow::Type::DOUBLE:
      return NumberWriter<arrow::DoubleArray>(array, style);
    case arrow::Type::STRING:
      return TextWriter<arrow::StringArray>(array, style);
    case arrow::Type::LARGE_STRING:
      return TextWriter<arrow::LargeStringArray>(array, style);
    case arrow::Type::STRING_VIEW:
      return TextWriter<arrow::StringViewArray>(array, style);
    case arrow::Type::BINARY:
      return BinaryWriter<arrow::BinaryArray>(array, style);
    case arrow::Type::LARGE_BINARY:
      return BinaryWriter<arrow::LargeBinaryArray>(array, style);
    case arrow::Type::BINARY_VIEW:
      return BinaryWriter<arrow::BinaryViewArray>(array, style);
    case arrow::Type::FIXED_SIZE_BINARY:
      return BinaryWriter<arrow::FixedSizeBinaryArray>(array, style);
    case arrow::Type::DECIMAL32:
      return DecimalWriter<arrow::Decimal32Array>(array, style);
    case arrow::Type::DECIMAL64:
      return DecimalWriter<arrow::Decimal64Array>(array, style);
    case arrow::Type::DECIMAL128:
      return DecimalWriter<arrow::Decimal128Array>(array, style);
    case arrow::Type::DECIMAL256:
      return DecimalWriter<arrow::Decimal256Array>(array, style);
    case arrow::Type::DATE32:
      return Date32Writer(array, style);
    case arrow::Type::DATE64:
      return Date64Writer(array, style);
    case arrow::Type::TIME32:
      return TimeWriter<arrow::Time32Array>(array, style);
    case arrow::Type::TIME64:
      return TimeWriter<arrow::Time64Array>(array, style);
    case arrow::Type::TIMESTAMP:
      return TimestampWriter(array, style);
    case arrow::Type::DURATION:
      return DurationWriter(array, style);
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return IntervalWriter(array, style);
    default:
      return nullptr;
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && text[plain] >= 0x20 && text[plain] < 0x7F && text[plain] != '"' &&
           text[plain] != '\\') {
      ++plain;
    }
    *out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text[0]);
    size_t bytes = 1;
    if (byte >= 0x80) {
      // The shortest run that is valid by itself is one code point.
      while (bytes <= std::min<size_t>(4, text.size()) && !IsValidUtf8(text.substr(0, bytes))) {
        ++bytes;
      }
      const bool valid = bytes <= std::min<size_t>(4, text.size());
      *out += valid ? text.substr(0, bytes) : kReplacement;
      if (!valid) bytes = 1;
    } else if (byte == '"' || byte == '\\') {
      *out += '\\';
      *out += text[0];
    } else if (byte == '\n') {
      *out += "\\n";
    } else if (byte == '\t') {
      *out += "\\t";
    } else if (byte == '\r') {
      *out += "\\r";
    } else {
      *out += std::format("\\u{:04x}", byte);
    }
    text.remove_prefix(bytes);
  }
  *out += '"';
}

arrow::Result<std::unique_ptr<ValueWriter>> MakeValueWriter(
    const std::shared_ptr<arrow::Array>& array, TextStyle style) {
  if (auto leaf = MakeLeafWriter(array, style)) return leaf;
  switch (array->type_id()) {
    case arrow::Type::LIST:
      return ListWriter<arrow::ListArray>::Make(array, style);
    case arrow::Type::LARGE_LIST:
      return ListWriter<arrow::LargeListArray>::Make(array, style);
    case arrow::Type::LIST_VIEW:
      return ListWriter<arrow::ListViewArray>::Make(array, style);
    case arrow::Type::LARGE_LIST_VIEW:
      return ListWriter<arrow::LargeListViewArray>::Make(array, style);
    case arrow::Type::FIXED_SIZE_LIST:
      return ListWriter<arrow::FixedSizeListArray>::Make(array, style);
    case arrow::Type::MAP:
      return MapWriter::Make(array, style);
    case arrow::Type::STRUCT:
      return StructWriter::Make(array, style);
    case arrow::Type::DICTIONARY:
    case arrow::Type::RUN_END_ENCODED:
    case arrow::Type::DENSE_UNION:
    case arrow::Type::SPARSE_UNION:
      return MakeIndirectWriter(array, style);
    case arrow::Type::EXTENSION:
      return MakeValueWriter(static_cast<const arrow::ExtensionArray&>(*array).storage(), style);
    default:
      return Error(ErrorKind::kUnimplemented, "values of type {} cannot be written as text",
                   array->type()->ToString());
  }
}

}  // namespace hangar
