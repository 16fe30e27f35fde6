#include "decode/flat_column_decoder.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/extension/json.h>
#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <gtest/gtest.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "decode/decoder_test_support.h"
#include "schema/storage_mapping.h"
#include "tests/support/random_arrays.h"

namespace hangar {
namespace {

using arrow::internal::checked_cast;
using testing::ArrayPtr;
using testing::BufferPtr;
using testing::DecodeWithArrow;
using testing::ExpectRows;
using testing::FileCut;
using testing::OpenDecoder;
using testing::OpenFile;
using testing::Pick;
using testing::PickOf;
using testing::Random;
using testing::SameValues;
using testing::TypePtr;

std::vector<TypePtr> FlatTypes() {
  return {arrow::boolean(),
          arrow::int8(),
          arrow::uint8(),
          arrow::int16(),
          arrow::uint16(),
          arrow::int32(),
          arrow::uint32(),
          arrow::int64(),
          arrow::uint64(),
          arrow::float32(),
          arrow::float64(),
          arrow::date32(),
          arrow::time32(arrow::TimeUnit::MILLI),
          arrow::time64(arrow::TimeUnit::MICRO),
          arrow::time64(arrow::TimeUnit::NANO),
          arrow::timestamp(arrow::TimeUnit::MILLI),
          arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Berlin"),
          arrow::timestamp(arrow::TimeUnit::NANO),
          arrow::duration(arrow::TimeUnit::MICRO),
          arrow::utf8(),
          arrow::binary(),
          arrow::large_utf8(),
          arrow::large_binary(),
          arrow::fixed_size_binary(1),
          arrow::fixed_size_binary(3),
          arrow::fixed_size_binary(4),
          arrow::fixed_size_binary(8),
          arrow::fixed_size_binary(16),
          arrow::fixed_size_binary(50),
          arrow::extension::uuid(),
          arrow::extension::json()};
}

const arrow::DataType& Storage(const arrow::DataType& type) {
  return type.id() == arrow::Type::EXTENSION
             ? *checked_cast<const arrow::ExtensionType&>(type).storage_type()
             : type;
}

// Those that a column of this type can have, the dictionary left out.
std::vector<parquet::Encoding::type> PlainEncodings(const arrow::DataType& type) {
  using Encoding = parquet::Encoding;
  switch (Storage(type).id()) {
    case arrow::Type::BOOL:
      return {Encoding::PLAIN, Encoding::RLE};
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return {Encoding::PLAIN, Encoding::BYTE_STREAM_SPLIT};
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return {Encoding::PLAIN, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY};
    case arrow::Type::FIXED_SIZE_BINARY:
      return {Encoding::PLAIN, Encoding::BYTE_STREAM_SPLIT, Encoding::DELTA_BYTE_ARRAY};
    default:
      return {Encoding::PLAIN, Encoding::DELTA_BINARY_PACKED, Encoding::BYTE_STREAM_SPLIT};
  }
}

enum class Nulls { kUndeclared, kNone, kSome, kMost, kAll, kBlocks };

// Random values out of `distinct` ones, in runs of up to `run_max`, with nulls in this manner.
ArrayPtr RandomColumn(const TypePtr& type, int64_t rows, int64_t distinct, int64_t run_max,
                      Nulls nulls, Random& random) {
  const ArrayPtr values = testing::RandomArray(Storage(*type).GetSharedPtr(),
                                               {.length = distinct, .null_share = 0}, random);
  arrow::Int64Builder indices;
  while (indices.length() < rows) {
    const int64_t run = std::min(Pick(random, 1, run_max), rows - indices.length());
    const int64_t index = Pick(random, 0, distinct - 1);
    const bool block_is_null = nulls == Nulls::kBlocks && Pick(random, 0, 1) == 0;
    for (int64_t i = 0; i < run; ++i) {
      const bool null = block_is_null || nulls == Nulls::kAll ||
                        (nulls == Nulls::kSome && Pick(random, 0, 9) == 0) ||
                        (nulls == Nulls::kMost && Pick(random, 0, 9) != 0);
      EXPECT_TRUE((null ? indices.AppendNull() : indices.Append(index)).ok());
    }
  }
  const auto taken = arrow::compute::Take(*values, *indices.Finish().ValueOrDie()).ValueOrDie();
  if (type->id() != arrow::Type::EXTENSION) return taken;
  return arrow::ExtensionType::WrapArray(type, taken);
}

struct FileShape {
  bool dictionary = false;
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;
  FileCut cut = {};
};

FileShape RandomShape(const arrow::DataType& type, Random& random) {
  FileShape shape;
  shape.dictionary = type.id() != arrow::Type::BOOL && Pick(random, 0, 1) == 0;
  shape.encoding = PickOf(random, PlainEncodings(type));
  shape.cut = testing::RandomCut(
      {parquet::Compression::UNCOMPRESSED, parquet::Compression::SNAPPY, parquet::Compression::ZSTD,
       parquet::Compression::LZ4, parquet::Compression::GZIP, parquet::Compression::BROTLI},
      random);
  return shape;
}

BufferPtr WriteColumn(const ArrayPtr& column, const FileShape& shape) {
  auto properties = testing::PropertiesOf(shape.cut);
  if (shape.dictionary) {
    properties.enable_dictionary();
  } else {
    properties.disable_dictionary()->encoding(shape.encoding);
  }
  return testing::WriteFile(column, shape.cut, properties);
}

arrow::Result<OpenDecoder> OpenFlat(const BufferPtr& bytes, int row_group, bool checksums) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  OpenDecoder opened;
  opened.file = parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(bytes));
  const auto metadata = opened.file->metadata();
  ARROW_ASSIGN_OR_RAISE(const ReadMapping mapping, MakeReadMapping(*metadata));
  opened.type = mapping.read_schema->field(0)->type();
  const parquet::ColumnDescriptor* column = metadata->schema()->Column(0);
  const auto group = opened.file->RowGroup(row_group);
  const auto chunk = group->metadata()->ColumnChunk(0);
  opened.rows = group->metadata()->num_rows();
  if (!CanDecodeFlat(*column, *chunk, *opened.type)) {
    return arrow::Status::NotImplemented("refused");
  }
  ARROW_ASSIGN_OR_RAISE(
      opened.decoder,
      MakeFlatColumnDecoder(testing::OpenPages(bytes, *chunk, *column, checksums), *column, *chunk,
                            opened.type, opened.rows, arrow::system_memory_pool()));
  return opened;
  END_PARQUET_CATCH_EXCEPTIONS
}

// UTF-8 is what the writer says it is; all else has to hold whatever the bytes are.
arrow::Status ValidateLayout(const ArrayPtr& array) {
  auto data = array->data()->Copy();
  if (data->type->id() == arrow::Type::EXTENSION) data->type = Storage(*data->type).GetSharedPtr();
  if (data->type->id() == arrow::Type::STRING) data->type = arrow::binary();
  if (data->type->id() == arrow::Type::LARGE_STRING) data->type = arrow::large_binary();
  return arrow::MakeArray(data)->ValidateFull();
}

void ExpectSameAsArrow(const ArrayPtr& column, const FileShape& shape, Random& random) {
  const BufferPtr file = WriteColumn(column, shape);
  const int row_groups =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(file))
          ->metadata()
          ->num_row_groups();
  for (int row_group = 0; row_group < row_groups; ++row_group) {
    const auto expected = DecodeWithArrow(file, row_group, /*checksums=*/true);
    ASSERT_TRUE(expected.ok()) << expected.status();
    for (const int64_t step : {1, 7, 64, 1'000, 1 << 20}) {
      if (step == 1 && Pick(random, 0, 7) != 0) continue;
      auto decoder = OpenFlat(file, row_group, /*checksums=*/true);
      ASSERT_TRUE(decoder.ok()) << decoder.status();
      ExpectRows(*decoder->decoder, *expected, step, random);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

class EveryType : public ::testing::TestWithParam<TypePtr> {};

TEST_P(EveryType, IsDecodedAsArrowDoesInEveryEncoding) {
  const TypePtr& type = GetParam();
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    FileShape shape = RandomShape(*type, random);
    const auto nulls = static_cast<Nulls>(seed % 6);
    shape.cut.nullable = nulls != Nulls::kUndeclared;
    const int64_t rows = PickOf<int64_t>(random, {1, 65, 2'500});
    const ArrayPtr column = RandomColumn(type, rows, PickOf<int64_t>(random, {1, 3, 300, 3'000}),
                                         PickOf<int64_t>(random, {1, 5, 300}), nulls, random);
    SCOPED_TRACE(std::to_string(seed) + " " + type->ToString() +
                 (shape.dictionary ? " dictionary" : " ") +
                 (shape.dictionary ? "" : parquet::EncodingToString(shape.encoding)));
    ExpectSameAsArrow(column, shape, random);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Flat, EveryType, ::testing::ValuesIn(FlatTypes()), [](const auto& info) {
  std::string name = std::to_string(info.index) + "_" + info.param->ToString();
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

// All rows of the first row group, which has so many.
arrow::Result<ArrayPtr> DecodeFlat(const BufferPtr& file, int64_t rows, int64_t step,
                                   bool checksums) {
  ARROW_ASSIGN_OR_RAISE(auto opened, OpenFlat(file, 0, checksums));
  arrow::ArrayVector arrays;
  for (int64_t row = 0; row < rows; row += step) {
    ARROW_ASSIGN_OR_RAISE(auto decoded, opened.decoder->Decode(std::min(step, rows - row)));
    for (auto& array : decoded) arrays.push_back(std::move(array));
  }
  return arrow::Concatenate(arrays);
}

class DamagedPagesOf : public ::testing::TestWithParam<TypePtr> {};

TEST_P(DamagedPagesOf, GiveAnErrorOrWhatArrowMakesOfThem) {
  const TypePtr& type = GetParam();
  int failed = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    FileShape shape = RandomShape(*type, random);
    shape.cut.row_group_rows = 1 << 20;
    // Checksums of uncompressed pages would find all damage; without them it gets further.
    const bool checksums = seed % 4 == 0;
    const int64_t rows = 300;
    const ArrayPtr column =
        RandomColumn(type, rows, PickOf<int64_t>(random, {3, 300}), PickOf<int64_t>(random, {1, 5}),
                     static_cast<Nulls>(seed % 6), random);
    shape.cut.nullable = static_cast<Nulls>(seed % 6) != Nulls::kUndeclared;
    const BufferPtr damaged = testing::Damage(WriteColumn(column, shape), random);
    const auto decoded = DecodeFlat(damaged, rows, PickOf<int64_t>(random, {50, 300}), checksums);
    SCOPED_TRACE(std::to_string(seed));
    if (!decoded.ok()) {
      ++failed;
      continue;
    }
    ASSERT_TRUE(ValidateLayout(*decoded).ok()) << ValidateLayout(*decoded);
    const auto expected = DecodeWithArrow(damaged, 0, checksums);
    if (expected.ok() && (*expected)->length() == rows) {
      ASSERT_TRUE(SameValues(**decoded, **expected));
    }
  }
  EXPECT_GT(failed, 100);
}

INSTANTIATE_TEST_SUITE_P(Types, DamagedPagesOf,
                         ::testing::Values(arrow::boolean(), arrow::int8(), arrow::int32(),
                                           arrow::int64(), arrow::float64(), arrow::utf8(),
                                           arrow::large_binary(), arrow::fixed_size_binary(5)),
                         [](const auto& info) {
                           return std::string(info.param->name()) + std::to_string(info.index);
                         });

TEST(DamagedPages, AreAllFoundByTheirChecksums) {
  Random random(1);
  for (const FileShape& shape :
       {FileShape{}, FileShape{.dictionary = true},
        FileShape{.cut = {.codec = parquet::Compression::SNAPPY,
                          .page_version = parquet::ParquetDataPageVersion::V2}}}) {
    const ArrayPtr column = RandomColumn(arrow::int64(), 200, 50, 1, Nulls::kSome, random);
    const std::string whole = WriteColumn(column, shape)->ToString();
    const auto metadata =
        parquet::ParquetFileReader::Open(
            std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(whole)))
            ->metadata();
    const auto chunk = metadata->RowGroup(0)->ColumnChunk(0);
    const int64_t end =
        (shape.dictionary ? chunk->dictionary_page_offset() : chunk->data_page_offset()) +
        chunk->total_compressed_size();
    ASSERT_TRUE(DecodeFlat(arrow::Buffer::FromString(whole), 200, 200, /*checksums=*/true).ok());
    // The last page's body.
    for (int64_t at = end - 100; at < end; ++at) {
      std::string damaged = whole;
      damaged[static_cast<size_t>(at)] ^= 0x10;
      EXPECT_FALSE(
          DecodeFlat(arrow::Buffer::FromString(damaged), 200, 200, /*checksums=*/true).ok());
    }
  }
}

// Pages that no writer would make.
class PageList final : public parquet::PageReader {
 public:
  explicit PageList(std::vector<std::shared_ptr<parquet::Page>> pages) : pages_(std::move(pages)) {}

  std::shared_ptr<parquet::Page> NextPage() override {
    return next_ < pages_.size() ? pages_[next_++] : nullptr;
  }
  void set_max_page_header_size(uint32_t) override {}

 private:
  const std::vector<std::shared_ptr<parquet::Page>> pages_;
  size_t next_ = 0;
};

using Pages = std::vector<std::shared_ptr<parquet::Page>>;

std::shared_ptr<parquet::Page> DataPage(int32_t rows, parquet::Encoding::type encoding,
                                        const std::string& bytes) {
  return std::make_shared<parquet::DataPageV1>(arrow::Buffer::FromString(bytes), rows, encoding,
                                               parquet::Encoding::RLE, parquet::Encoding::RLE,
                                               static_cast<int64_t>(bytes.size()));
}

std::shared_ptr<parquet::Page> Dictionary(int32_t count, const std::string& bytes) {
  return std::make_shared<parquet::DictionaryPage>(arrow::Buffer::FromString(bytes), count,
                                                   parquet::Encoding::PLAIN);
}

std::string Bytes(std::initializer_list<int> bytes) {
  std::string result;
  for (const int byte : bytes) result.push_back(static_cast<char>(byte));
  return result;
}

// Decodes `rows` rows from these pages of a column of `rows` rows, in a megabyte of memory.
arrow::Result<ArrayPtr> DecodePages(const TypePtr& type, bool nullable, int64_t rows, Pages pages) {
  const BufferPtr file = WriteColumn(*arrow::MakeArrayOfNull(type, 1), {.cut = {.nullable = true}});
  const auto reader =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(file));
  const auto chunk = reader->metadata()->RowGroup(0)->ColumnChunk(0);
  const parquet::ColumnDescriptor column(reader->metadata()->schema()->Column(0)->schema_node(),
                                         nullable ? 1 : 0, 0);
  // The system's pool is one that AddressSanitizer watches.
  arrow::CappedMemoryPool pool(arrow::system_memory_pool(), 1 << 20);
  ARROW_ASSIGN_OR_RAISE(auto decoder,
                        MakeFlatColumnDecoder(std::make_unique<PageList>(std::move(pages)), column,
                                              *chunk, type, rows, &pool));
  auto arrays = decoder->Decode(rows);
  if (!arrays.ok()) {
    // The error stays.
    EXPECT_EQ(decoder->Decode(0).status(), arrays.status());
    EXPECT_EQ(decoder->Skip(0), arrays.status());
    EXPECT_FALSE(arrays.status().IsOutOfMemory()) << arrays.status();
    return arrays.status();
  }
  ARROW_ASSIGN_OR_RAISE(auto array, arrow::Concatenate(*arrays));
  ARROW_RETURN_NOT_OK(array->ValidateFull());
  return array;
}

constexpr auto kPlain = parquet::Encoding::PLAIN;
constexpr auto kDictionary = parquet::Encoding::RLE_DICTIONARY;
constexpr auto kDelta = parquet::Encoding::DELTA_BINARY_PACKED;
constexpr auto kDeltaLength = parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
constexpr auto kDeltaBytes = parquet::Encoding::DELTA_BYTE_ARRAY;

TEST(HandMadePages, AreReadWhereTheyAreWellFormed) {
  const std::string two_values = Bytes({1, 0, 0, 0, 2, 0, 0, 0});
  auto array = DecodePages(arrow::int32(), false, 2, {DataPage(2, kPlain, two_values)});
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ((*array)->ToString(), "[\n  1,\n  2\n]");

  // Rows 0 and 2 of three are present: a group of packed levels behind the size of the levels.
  const std::string levels = Bytes({2, 0, 0, 0, 3, 0b101});
  array = DecodePages(arrow::int32(), true, 3, {DataPage(3, kPlain, levels + two_values)});
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ((*array)->ToString(), "[\n  1,\n  null,\n  2\n]");

  array = DecodePages(arrow::utf8(), false, 3,
                      {Dictionary(2, Bytes({1, 0, 0, 0, 'a', 2, 0, 0, 0, 'b', 'c'})),
                       DataPage(2, kDictionary, Bytes({1, 3, 0b01})),
                       DataPage(1, kPlain, Bytes({1, 0, 0, 0, 'd'}))});
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ((*array)->ToString(), "[\n  \"bc\",\n  \"a\",\n  \"d\"\n]");
}

TEST(HandMadePages, WithAnotherNumberOfRowsThanTheFooterSaysAreAnError) {
  const std::string values(8, '\0');
  EXPECT_TRUE(DecodePages(arrow::int32(), false, 2, {DataPage(2, kPlain, values)}).ok());
  EXPECT_FALSE(DecodePages(arrow::int32(), false, 3, {DataPage(2, kPlain, values)}).ok());
  EXPECT_FALSE(DecodePages(arrow::int32(), false, 1, {DataPage(2, kPlain, values)}).ok());
  EXPECT_FALSE(DecodePages(arrow::int32(), false, 1, {DataPage(-1, kPlain, values)}).ok());
  EXPECT_FALSE(DecodePages(arrow::int32(), false, 1, {}).ok());
}

TEST(HandMadePages, WithFewerValuesThanRowsAreAnError) {
  for (const auto& type : {arrow::int32(), arrow::int64(), arrow::float64(), arrow::boolean(),
                           arrow::utf8(), arrow::fixed_size_binary(5)}) {
    for (const auto encoding : {kPlain, kDelta, kDeltaLength, kDeltaBytes, kDictionary,
                                parquet::Encoding::RLE, parquet::Encoding::BYTE_STREAM_SPLIT}) {
      for (const int64_t size : {0, 1, 3, 4, 5, 8}) {
        const std::string bytes(static_cast<size_t>(size), '\0');
        EXPECT_FALSE(
            DecodePages(type, false, 200, {Dictionary(0, ""), DataPage(200, encoding, bytes)}).ok())
            << type->ToString() << " " << size;
        EXPECT_FALSE(DecodePages(type, false, 200, {DataPage(200, encoding, bytes)}).ok())
            << type->ToString() << " " << size;
      }
    }
  }
}

TEST(HandMadePages, WithLevelsThatAreCutOffAreAnError) {
  const std::string values(12, '\0');
  for (const std::string& levels :
       {Bytes({}), Bytes({2, 0}), Bytes({0, 0, 0, 0}), Bytes({99, 0, 0, 0}),
        Bytes({-1, -1, -1, -1}), Bytes({1, 0, 0, 0, 2}), Bytes({1, 0, 0, 0, 3}),
        Bytes({2, 0, 0, 0, 2, 1}), Bytes({2, 0, 0, 0, 6, 2}), Bytes({2, 0, 0, 0, 0, 1}),
        Bytes({6, 0, 0, 0, -1, -1, -1, -1, -1, 1})}) {
    EXPECT_FALSE(DecodePages(arrow::int32(), true, 3, {DataPage(3, kPlain, levels)}).ok());
  }
  const std::string well = Bytes({2, 0, 0, 0, 6, 1});
  EXPECT_TRUE(DecodePages(arrow::int32(), true, 3, {DataPage(3, kPlain, well + values)}).ok());
  for (const auto& [repetition, definition] : std::vector<std::pair<int, int>>{
           {0, 3}, {1, 2}, {2, 1}, {-1, 2}, {2, -1}, {1 << 30, 1 << 30}}) {
    const auto page = std::make_shared<parquet::DataPageV2>(
        arrow::Buffer::FromString(Bytes({6, 1})), 3, 0, 3, kPlain, definition, repetition, 2);
    EXPECT_FALSE(DecodePages(arrow::int32(), true, 3, {page}).ok());
  }
}

TEST(HandMadePages, WithIndicesOutsideTheirDictionaryAreAnError) {
  const std::string values(8, '\0');
  const auto decode = [&](int32_t count, const std::string& indices) {
    return DecodePages(arrow::int32(), false, 2,
                       {Dictionary(count, values), DataPage(2, kDictionary, indices)});
  };
  EXPECT_TRUE(decode(2, Bytes({8, 4, 1})).ok());
  EXPECT_FALSE(decode(2, Bytes({8, 4, 2})).ok());
  EXPECT_FALSE(decode(1, Bytes({8, 4, 1})).ok());
  EXPECT_FALSE(decode(0, Bytes({0, 4})).ok());
  EXPECT_FALSE(decode(2, Bytes({32, 4, -1, -1, -1, -1})).ok());
  EXPECT_FALSE(decode(2, Bytes({33, 4, 1, 0, 0, 0, 0})).ok());
}

TEST(HandMadePages, WithDictionariesThatClaimMoreThanTheyHoldAreAnError) {
  const std::string indices = Bytes({0, 4});
  const std::string value = Bytes({1, 0, 0, 0, 'a', 0, 0, 0});
  for (const int32_t count : {3, 1'000, INT32_MAX, -1}) {
    for (const auto& type : {arrow::int32(), arrow::utf8(), arrow::fixed_size_binary(5)}) {
      EXPECT_FALSE(
          DecodePages(type, false, 2, {Dictionary(count, value), DataPage(2, kDictionary, indices)})
              .ok());
    }
  }
  EXPECT_FALSE(
      DecodePages(arrow::int32(), false, 2,
                  {Dictionary(1, value), Dictionary(1, value), DataPage(2, kDictionary, indices)})
          .ok());
  EXPECT_FALSE(DecodePages(arrow::boolean(), false, 2,
                           {Dictionary(1, value), DataPage(2, kDictionary, indices)})
                   .ok());
  // A first value that takes the bytes of the lengths behind it.
  const std::string greedy = Bytes({-100, 15, 0, 0}) + std::string(3'996, 'x');
  EXPECT_FALSE(DecodePages(arrow::utf8(), false, 2,
                           {Dictionary(1'000, greedy), DataPage(2, kDictionary, indices)})
                   .ok());
}

TEST(HandMadePages, WithByteArraysThatReachBeyondThemAreAnError) {
  for (const std::string& values : {Bytes({2, 0, 0, 0, 'a'}), Bytes({-1, -1, -1, -1, 'a'}),
                                    Bytes({-1, -1, -1, 127, 'a'}), Bytes({1, 0, 0})}) {
    EXPECT_FALSE(DecodePages(arrow::utf8(), false, 1, {DataPage(1, kPlain, values)}).ok());
    EXPECT_FALSE(DecodePages(arrow::utf8(), false, 1,
                             {Dictionary(1, values), DataPage(1, kDictionary, Bytes({0, 2}))})
                     .ok());
  }
  // One length in a header of 128 values a block in four miniblocks; as zigzag, so 6 is 3.
  EXPECT_TRUE(DecodePages(arrow::utf8(), false, 1,
                          {DataPage(1, kDeltaLength, Bytes({128, 1, 4, 1, 6, 'a', 'b', 'c'}))})
                  .ok());
  EXPECT_FALSE(DecodePages(arrow::utf8(), false, 1,
                           {DataPage(1, kDeltaLength, Bytes({128, 1, 4, 1, 6, 'a', 'b'}))})
                   .ok());
  EXPECT_FALSE(DecodePages(arrow::utf8(), false, 1,
                           {DataPage(1, kDeltaLength, Bytes({128, 1, 4, 1, 5, 'a', 'b', 'c'}))})
                   .ok());
  const auto shared = [](int prefix) {
    return Bytes({128, 1, 4, 1, prefix, 128, 1, 4, 1, 2, 'a'});
  };
  EXPECT_TRUE(DecodePages(arrow::utf8(), false, 1, {DataPage(1, kDeltaBytes, shared(0))}).ok());
  EXPECT_FALSE(DecodePages(arrow::utf8(), false, 1, {DataPage(1, kDeltaBytes, shared(2))}).ok());
  EXPECT_FALSE(DecodePages(arrow::utf8(), false, 1, {DataPage(1, kDeltaBytes, shared(1))}).ok());
}

TEST(HandMadePages, ThatClaimToHoldBillionsOfValuesTakeNoMemoryForThem) {
  const std::string all_ones = Bytes({-1, -1, -1, -1, 7});
  // Values a block, miniblocks, values, the first one.
  for (const std::string& header :
       {Bytes({128, 1, 4}) + all_ones + Bytes({0}), Bytes({128, 1}) + all_ones + Bytes({10, 0}),
        all_ones + Bytes({4, 10, 0}), Bytes({128, 1, 0, 10, 0}), Bytes({0, 4, 10, 0}),
        Bytes({128, 1, 3, 10, 0}),
        Bytes({128, 128, 128, 128, 8, 128, 128, 128, 32, 10, 0, 0, 0, 0})}) {
    for (const auto encoding : {kDelta, kDeltaLength, kDeltaBytes}) {
      const auto type = encoding == kDelta ? arrow::int32() : arrow::utf8();
      EXPECT_FALSE(DecodePages(type, false, 10, {DataPage(10, encoding, header)}).ok());
      EXPECT_FALSE(DecodePages(type, false, 10, {DataPage(10, encoding, header + header)}).ok());
    }
  }
  EXPECT_FALSE(
      DecodePages(arrow::int32(), false, 10, {DataPage(INT32_MAX, kPlain, std::string(40, '\0'))})
          .ok());
}

TEST(CanDecodeFlat, RefusesWhatItDoesNotKnow) {
  const auto accepts = [](const TypePtr& stored, const TypePtr& wanted) {
    const BufferPtr file = WriteColumn(*arrow::MakeArrayOfNull(stored, 1), {});
    const auto reader =
        parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(file));
    const auto chunk = reader->metadata()->RowGroup(0)->ColumnChunk(0);
    return CanDecodeFlat(*reader->metadata()->schema()->Column(0), *chunk, *wanted);
  };
  for (const TypePtr& type : FlatTypes()) EXPECT_TRUE(accepts(type, type)) << type->ToString();
  for (const TypePtr& type :
       {arrow::decimal128(9, 2), arrow::float16(), arrow::list(arrow::int32()), arrow::utf8_view(),
        arrow::struct_({arrow::field("a", arrow::int32())}),
        arrow::dictionary(arrow::int32(), arrow::utf8())}) {
    EXPECT_FALSE(accepts(type, type)) << type->ToString();
  }
  EXPECT_FALSE(accepts(arrow::int32(), arrow::int64()));
  EXPECT_FALSE(accepts(arrow::utf8(), arrow::fixed_size_binary(3)));
  EXPECT_FALSE(accepts(arrow::fixed_size_binary(3), arrow::fixed_size_binary(4)));
}

}  // namespace
}  // namespace hangar
