#include "encode/encoding_choice.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>
#include <parquet/schema.h>

#include "base/error.h"
#include "base/text.h"
#include "encode/hybrid_encoding.h"
#include "encode/leaf_values.h"
#include "encode/value_dictionary.h"

namespace hangar {
namespace {

using arrow::Compression;
using parquet::Type;

constexpr int64_t kDistinctSampleMax = 32 << 10;
constexpr int64_t kTrialSampleMax = 8 << 10;
constexpr size_t kSampleBytesMax = 1 << 20;

// What a value costs: the time to write it and to read it again, in nanoseconds, and its stored
// bytes at kBytePrice nanoseconds each; at this price LZ4 has to save one byte in sixteen to be
// worth its time. The figures are round numbers set by hand, after measurements on one core of an
// AMD EPYC with Arrow 25, so that the choices on the benchmark's datasets make files no larger than
// Snappy and dictionaries everywhere do; encoding_choice_benchmark.cc measures the encoders as they
// are. Strings of 40 bytes that LZ4 and Snappy make 31 of 44 bytes and Zstandard 20, pyarrow reads
// in 15, 25 and 33 ns each and writes in 69, 76 and 138 ns; so Zstandard is for what shrinks to a
// fraction, and Snappy is not tried.
constexpr double kBytePrice = 6;
constexpr double kPlainTime = 0.5;
constexpr double kDictionaryTime = 3;
constexpr double kDeltaTime = 3;
constexpr double kByteStreamSplitTime = 1.5;
// Strings that share their beginnings with the one before them: mostly for whoever reads them.
constexpr double kStringDeltaTime = 20;

struct CodecPrice {
  ColumnCodec codec;
  double per_byte = 0;
  double per_saved_byte = 0;
};
constexpr std::array<CodecPrice, 2> kCodecPrices = {{
    {.codec = {.type = Compression::LZ4}, .per_byte = 0.3, .per_saved_byte = 1},
    {.codec = {.type = Compression::ZSTD, .level = 1}, .per_byte = 2.5, .per_saved_byte = 0.5},
}};

struct NamedEncoding {
  std::string_view name;
  ColumnEncoding encoding;
};
constexpr NamedEncoding kEncodings[] = {
    {"plain", ColumnEncoding::kPlain},
    {"dictionary", ColumnEncoding::kDictionary},
    {"delta", ColumnEncoding::kDelta},
    {"byte_stream_split", ColumnEncoding::kByteStreamSplit},
};

// The first values of a column as PLAIN holds them.
struct Sample {
  std::vector<uint8_t> plain;
  std::vector<size_t> ends;    // Of the values in `plain`.
  std::vector<uint64_t> keys;  // Equal for equal values, and for others hardly ever.
  int64_t values_in_rows = 0;  // Of all leaves, sampled or not.
  int64_t rows = 0;

  int64_t values() const { return static_cast<int64_t>(keys.size()); }
  double plain_bytes() const { return PerValue(static_cast<double>(plain.size())); }
  double PerValue(double bytes) const {
    return bytes / static_cast<double>(std::max<int64_t>(values(), 1));
  }
};

uint64_t KeyOf(std::string_view value) {
  if (value.size() > sizeof(uint64_t)) return std::hash<std::string_view>{}(value);
  uint64_t key = 0;
  std::memcpy(&key, value.data(), value.size());
  return key;
}

Sample TakeSample(const parquet::ColumnDescriptor& column,
                  const std::vector<std::shared_ptr<arrow::Array>>& leaves, int64_t rows) {
  Sample sample{.rows = rows};
  const bool has_lengths = column.physical_type() == Type::BYTE_ARRAY;
  for (const auto& leaf : leaves) {
    sample.values_in_rows += leaf->length() - leaf->null_count();
    VisitLeafValues(*leaf->data(), [&](std::string_view value) {
      if (sample.values() == kDistinctSampleMax || sample.plain.size() > kSampleBytesMax) {
        return false;
      }
      if (has_lengths) {
        const auto length = static_cast<uint32_t>(value.size());
        const auto* bytes = reinterpret_cast<const uint8_t*>(&length);
        sample.plain.insert(sample.plain.end(), bytes, bytes + sizeof(length));
      }
      sample.plain.insert(sample.plain.end(), value.begin(), value.end());
      sample.ends.push_back(sample.plain.size());
      sample.keys.push_back(KeyOf(value));
      return true;
    });
  }
  return sample;
}

// Four stretches of the sample, so that one odd stretch does not decide. Each is whole values.
std::vector<uint8_t> TrialBytes(const Sample& sample, int64_t* values) {
  constexpr int64_t kStretches = 4;
  if (sample.values() <= kTrialSampleMax) {
    *values = sample.values();
    return sample.plain;
  }
  std::vector<uint8_t> bytes;
  *values = kTrialSampleMax;
  for (int64_t i = 0; i < kStretches; ++i) {
    const int64_t begin = sample.values() / kStretches * i;
    const int64_t end = begin + kTrialSampleMax / kStretches;
    const size_t begin_byte = begin == 0 ? 0 : sample.ends[static_cast<size_t>(begin - 1)];
    const size_t end_byte = sample.ends[static_cast<size_t>(end - 1)];
    bytes.insert(bytes.end(), sample.plain.begin() + static_cast<std::ptrdiff_t>(begin_byte),
                 sample.plain.begin() + static_cast<std::ptrdiff_t>(end_byte));
  }
  return bytes;
}

arrow::Result<double> CompressedBytes(const ColumnCodec& codec, const std::vector<uint8_t>& bytes) {
  if (codec.type == Compression::UNCOMPRESSED || bytes.empty()) {
    return static_cast<double>(bytes.size());
  }
  ARROW_ASSIGN_OR_RAISE(const auto compressor, arrow::util::Codec::Create(codec.type, codec.level));
  const auto size = static_cast<int64_t>(bytes.size());
  std::vector<uint8_t> out(static_cast<size_t>(compressor->MaxCompressedLen(size, bytes.data())));
  ARROW_ASSIGN_OR_RAISE(
      const int64_t compressed,
      compressor->Compress(size, bytes.data(), static_cast<int64_t>(out.size()), out.data()));
  return static_cast<double>(compressed);
}

// A way to write the column and what a value costs with it.
struct Candidate {
  ColumnEncoding encoding = ColumnEncoding::kPlain;
  ColumnCodec codec;
  double cost = std::numeric_limits<double>::infinity();
};

void Keep(const Candidate& candidate, Candidate* best) {
  if (candidate.cost < best->cost) *best = candidate;
}

// The best of an encoding whose pages look like `bytes`, which hold `values` values.
arrow::Status TryCodecs(ColumnEncoding encoding, const std::vector<uint8_t>& bytes, int64_t values,
                        double time, const EncodingWish& wish, Candidate* best) {
  const auto count = static_cast<double>(std::max<int64_t>(values, 1));
  const double size = static_cast<double>(bytes.size()) / count;
  if (wish.codec) {
    ARROW_ASSIGN_OR_RAISE(const double compressed, CompressedBytes(*wish.codec, bytes));
    Keep({encoding, *wish.codec, compressed / count * kBytePrice + time}, best);
    return arrow::Status::OK();
  }
  Keep({encoding, ColumnCodec{}, size * kBytePrice + time}, best);
  for (const CodecPrice& price : kCodecPrices) {
    ARROW_ASSIGN_OR_RAISE(double compressed, CompressedBytes(price.codec, bytes));
    compressed /= count;
    const double codec_time = price.per_byte * size + price.per_saved_byte * (size - compressed);
    Keep({encoding, price.codec, compressed * kBytePrice + time + codec_time}, best);
  }
  return arrow::Status::OK();
}

std::vector<uint8_t> PackBits(const std::vector<uint8_t>& bytes) {
  std::vector<uint8_t> bits((bytes.size() + 7) / 8);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | bytes[i] << (i % 8));
  }
  return bits;
}

std::vector<uint8_t> SplitStreams(const std::vector<uint8_t>& plain, size_t width) {
  const size_t values = plain.size() / width;
  std::vector<uint8_t> streams(values * width);
  for (size_t i = 0; i < values; ++i) {
    for (size_t byte = 0; byte < width; ++byte)
      streams[byte * values + i] = plain[i * width + byte];
  }
  return streams;
}

// The bytes that DELTA_BINARY_PACKED takes: miniblocks of 32 deltas in blocks of 128, each packed
// to the widest difference from the block's least delta.
template <typename T>
double DeltaBytes(const std::vector<uint8_t>& plain) {
  constexpr size_t kBlock = 128;
  constexpr size_t kMiniblock = 32;
  using Unsigned = std::make_unsigned_t<T>;
  const size_t count = plain.size() / sizeof(T);
  std::vector<Unsigned> values(count);
  std::memcpy(values.data(), plain.data(), count * sizeof(T));
  double bytes = 10;
  for (size_t begin = 1; begin < count; begin += kBlock) {
    const size_t end = std::min(begin + kBlock, count);
    T least = std::numeric_limits<T>::max();
    for (size_t i = begin; i < end; ++i) {
      least = std::min(least, static_cast<T>(values[i] - values[i - 1]));
    }
    bytes += 6;
    for (size_t mini = begin; mini < end; mini += kMiniblock) {
      Unsigned widest = 0;
      for (size_t i = mini; i < std::min(mini + kMiniblock, end); ++i) {
        widest |= static_cast<Unsigned>(values[i] - values[i - 1] - static_cast<Unsigned>(least));
      }
      bytes += static_cast<double>(std::bit_width(widest)) * kMiniblock / 8;
    }
  }
  return bytes;
}

// About the bytes that DELTA_BYTE_ARRAY takes: a byte for the length of what is shared, one for the
// length of the rest, and the rest.
std::vector<uint8_t> FrontCoded(const Sample& sample, int64_t* values) {
  *values = std::min(sample.values(), kTrialSampleMax);
  std::vector<uint8_t> bytes;
  std::string_view previous;
  size_t begin = 0;
  for (int64_t i = 0; i < *values; ++i) {
    const size_t end = sample.ends[static_cast<size_t>(i)];
    const std::string_view value(
        reinterpret_cast<const char*>(sample.plain.data()) + begin + sizeof(uint32_t),
        end - begin - sizeof(uint32_t));
    const size_t prefix = CommonPrefix(previous, value);
    bytes.push_back(static_cast<uint8_t>(prefix));
    bytes.push_back(static_cast<uint8_t>(value.size() - prefix));
    bytes.insert(bytes.end(), value.begin() + static_cast<std::ptrdiff_t>(prefix), value.end());
    previous = value;
    begin = end;
  }
  return bytes;
}

// How many different values `rows` rows hold, by the extrapolation of Shen, Chao and Lin
// ("Predicting the number of new species in further taxonomic sampling", Ecology 84, 2003), with
// the unseen estimated as Chao1: from how many of the sample's values came once and twice.
double ExpectedDistinct(const std::vector<uint32_t>& counts, double sampled, double expected) {
  const auto once = static_cast<double>(std::ranges::count(counts, 1U));
  const auto twice = static_cast<double>(std::ranges::count(counts, 2U));
  const auto seen = static_cast<double>(counts.size());
  if (once < 1 || expected <= sampled) return seen;
  const double unseen = once * std::max(once - 1, 1.0) / (2 * (twice + 1));
  const double further = expected - sampled;
  return seen + unseen * -std::expm1(-further / sampled * once / unseen);
}

arrow::Status TryDictionary(const Sample& sample, const EncodingWish& wish, Candidate* best) {
  FixedDictionary<uint64_t> dictionary;
  std::vector<uint32_t> numbers(sample.keys.size());
  dictionary.Number(sample.keys.data(), sample.values(), SIZE_MAX, numbers.data());
  std::vector<uint32_t> counts(dictionary.values().size());
  std::vector<uint8_t> entries;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (counts[numbers[i]]++ > 0) continue;
    const size_t begin = i == 0 ? 0 : sample.ends[i - 1];
    entries.insert(entries.end(), sample.plain.begin() + static_cast<std::ptrdiff_t>(begin),
                   sample.plain.begin() + static_cast<std::ptrdiff_t>(sample.ends[i]));
  }
  const auto sampled = static_cast<double>(sample.values());
  const double expected = static_cast<double>(wish.row_group_rows) *
                          static_cast<double>(sample.values_in_rows) /
                          static_cast<double>(std::max<int64_t>(sample.rows, 1));
  const double distinct = ExpectedDistinct(counts, sampled, expected);
  const double entry_bytes =
      static_cast<double>(entries.size()) / std::max(static_cast<double>(counts.size()), 1.0);
  if (distinct * entry_bytes > static_cast<double>(wish.dictionary_bytes_max)) {
    return arrow::Status::OK();
  }
  std::vector<uint8_t> indices;
  AppendHybrid(numbers.data(), sample.values(),
               BitWidth(static_cast<uint32_t>(std::max(distinct - 1, 0.0))), &indices);
  const double index_bytes = static_cast<double>(indices.size()) / sampled;
  const double page_share = distinct * entry_bytes / std::max(expected, sampled);
  const auto add = [&](const ColumnCodec& codec, double per_byte,
                       double per_saved) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(double compressed_indices, CompressedBytes(codec, indices));
    compressed_indices /= sampled;
    ARROW_ASSIGN_OR_RAISE(const double compressed_entries, CompressedBytes(codec, entries));
    const double in = index_bytes + page_share;
    const double out = compressed_indices + page_share * compressed_entries /
                                                std::max(static_cast<double>(entries.size()), 1.0);
    Keep({ColumnEncoding::kDictionary, codec,
          out * kBytePrice + kDictionaryTime + per_byte * in + per_saved * (in - out)},
         best);
    return arrow::Status::OK();
  };
  if (wish.codec) return add(*wish.codec, 0, 0);
  ARROW_RETURN_NOT_OK(add({}, 0, 0));
  for (const CodecPrice& price : kCodecPrices) {
    ARROW_RETURN_NOT_OK(add(price.codec, price.per_byte, price.per_saved_byte));
  }
  return arrow::Status::OK();
}

arrow::Status TryEncoding(ColumnEncoding encoding, const parquet::ColumnDescriptor& column,
                          const Sample& sample, const EncodingWish& wish, Candidate* best) {
  int64_t trial_values = 0;
  switch (encoding) {
    case ColumnEncoding::kDictionary:
      return TryDictionary(sample, wish, best);
    case ColumnEncoding::kPlain:
    case ColumnEncoding::kByteStreamSplit: {
      std::vector<uint8_t> bytes = TrialBytes(sample, &trial_values);
      if (encoding == ColumnEncoding::kPlain) {
        if (column.physical_type() == Type::BOOLEAN) bytes = PackBits(bytes);
        return TryCodecs(encoding, bytes, trial_values, kPlainTime, wish, best);
      }
      const size_t width = sample.ends.empty() ? 1 : sample.ends.front();
      return TryCodecs(encoding, SplitStreams(bytes, width), trial_values, kByteStreamSplitTime,
                       wish, best);
    }
    case ColumnEncoding::kDelta: {
      if (column.physical_type() == Type::BYTE_ARRAY) {
        const std::vector<uint8_t> bytes = FrontCoded(sample, &trial_values);
        return TryCodecs(encoding, bytes, trial_values, kStringDeltaTime, wish, best);
      }
      const double packed = column.physical_type() == Type::INT32
                                ? DeltaBytes<int32_t>(sample.plain)
                                : DeltaBytes<int64_t>(sample.plain);
      // Packed to its width it hardly compresses further.
      Keep({encoding, wish.codec.value_or(ColumnCodec{}),
            sample.PerValue(packed) * kBytePrice + kDeltaTime},
           best);
      return arrow::Status::OK();
    }
  }
  return arrow::Status::OK();
}

// What is tried when nothing is wished for, beside dictionaries. DELTA_LENGTH_BYTE_ARRAY is not:
// what it saves over PLAIN with a codec is little, and Arrow's reader takes twice as long.
std::vector<ColumnEncoding> CandidatesFor(const parquet::ColumnDescriptor& column) {
  switch (column.physical_type()) {
    case Type::INT32:
    case Type::INT64:
      return {ColumnEncoding::kPlain, ColumnEncoding::kDelta};
    case Type::FLOAT:
    case Type::DOUBLE:
      return {ColumnEncoding::kPlain, ColumnEncoding::kByteStreamSplit};
    case Type::BYTE_ARRAY:
      return {ColumnEncoding::kPlain, ColumnEncoding::kDelta};
    default:
      return {ColumnEncoding::kPlain};
  }
}

// The codec for an encoding that the client chose.
arrow::Result<ColumnCodec> CodecFor(ColumnEncoding encoding,
                                    const parquet::ColumnDescriptor& column, const Sample& sample,
                                    const EncodingWish& wish) {
  if (wish.codec) return *wish.codec;
  Candidate best;
  EncodingWish any_size = wish;
  any_size.dictionary_bytes_max = std::numeric_limits<int64_t>::max();
  ARROW_RETURN_NOT_OK(TryEncoding(encoding, column, sample, any_size, &best));
  return best.codec;
}

}  // namespace

arrow::Result<ColumnEncoding> ParseColumnEncoding(const std::string& name,
                                                  const std::string& column) {
  for (const NamedEncoding& encoding : kEncodings) {
    if (encoding.name == name) return encoding.encoding;
  }
  return Error(ErrorKind::kInvalidArgument,
               "the encoding of the column {} is {}; it must be plain, dictionary, delta or "
               "byte_stream_split",
               Quoted(column), Quoted(name));
}

std::string ColumnEncodingName(ColumnEncoding encoding) {
  return std::string(kEncodings[static_cast<size_t>(encoding)].name);
}

bool Fits(ColumnEncoding encoding, const parquet::ColumnDescriptor& column) {
  const Type::type type = column.physical_type();
  switch (encoding) {
    case ColumnEncoding::kPlain:
      return true;
    case ColumnEncoding::kDictionary:
      return type != Type::BOOLEAN;
    case ColumnEncoding::kDelta:
      return type == Type::INT32 || type == Type::INT64 || type == Type::BYTE_ARRAY;
    case ColumnEncoding::kByteStreamSplit:
      return type != Type::BOOLEAN && type != Type::BYTE_ARRAY;
  }
  return false;
}

arrow::Result<EncodingChoice> ChooseEncoding(
    const parquet::ColumnDescriptor& column,
    const std::vector<std::shared_ptr<arrow::Array>>& leaves, int64_t rows,
    const EncodingWish& wish) {
  const Sample sample = TakeSample(column, leaves, rows);
  EncodingChoice choice;
  if (wish.codec) choice.codec = *wish.codec;
  if (wish.encoding) {
    choice.encoding = *wish.encoding;
    if (sample.values() == 0) return choice;
    ARROW_ASSIGN_OR_RAISE(choice.codec, CodecFor(choice.encoding, column, sample, wish));
    return choice;
  }
  if (sample.values() == 0) {
    // Nothing is known of the values that may come: what serves most.
    if (column.physical_type() != Type::BOOLEAN) choice.encoding = ColumnEncoding::kDictionary;
    if (!wish.codec) choice.codec = kCodecPrices.front().codec;
    return choice;
  }
  Candidate best;
  for (const ColumnEncoding encoding : CandidatesFor(column)) {
    ARROW_RETURN_NOT_OK(TryEncoding(encoding, column, sample, wish, &best));
  }
  choice.without_dictionary = best.encoding;
  if (column.physical_type() != Type::BOOLEAN) {
    ARROW_RETURN_NOT_OK(TryEncoding(ColumnEncoding::kDictionary, column, sample, wish, &best));
  }
  choice.encoding = best.encoding;
  choice.codec = best.codec;
  return choice;
}

}  // namespace hangar
