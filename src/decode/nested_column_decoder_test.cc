#include "decode/nested_column_decoder.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "decode/decoder_test_support.h"
#include "schema/storage_mapping.h"
#include "tests/support/random_arrays.h"

namespace hangar {
namespace {

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

std::shared_ptr<arrow::Field> Field(const std::string& name, const TypePtr& type, bool nullable) {
  return arrow::field(name, type, nullable);
}

TypePtr RandomLeafType(Random& random) {
  return PickOf<TypePtr>(
      random, {arrow::boolean(), arrow::int8(), arrow::int32(), arrow::int64(), arrow::float64(),
               arrow::timestamp(arrow::TimeUnit::MICRO), arrow::utf8(), arrow::binary(),
               arrow::large_utf8(), arrow::fixed_size_binary(3), arrow::fixed_size_binary(16)});
}

// Structs, lists and maps of at most so many levels.
TypePtr RandomNestedType(int levels, Random& random) {
  const auto inner = [&](int kind) {
    return levels > 1 && kind != 0 ? RandomNestedType(levels - 1, random) : RandomLeafType(random);
  };
  const auto any = [&] { return inner(static_cast<int>(Pick(random, 0, 2))); };
  const auto nullable = [&] { return Pick(random, 0, 2) != 0; };
  switch (Pick(random, 0, 4)) {
    case 0:
      return arrow::large_list(Field("element", any(), nullable()));
    case 1:
      return arrow::map(inner(0), Field("value", any(), nullable()));
    case 2:
    case 3: {
      arrow::FieldVector fields;
      const int64_t count = Pick(random, 1, 3);
      for (int64_t i = 0; i < count; ++i) {
        fields.push_back(Field(std::string(1, static_cast<char>('a' + i)), any(), nullable()));
      }
      return arrow::struct_(fields);
    }
    default:
      return arrow::list(Field("element", any(), nullable()));
  }
}

// Random values out of `distinct` ones, in runs of up to `run_max`.
ArrayPtr RandomColumn(const TypePtr& type, int64_t rows, int64_t distinct, int64_t run_max,
                      double null_share, bool nullable, Random& random) {
  const ArrayPtr values =
      testing::RandomArray(type, {.length = distinct, .null_share = null_share}, random);
  arrow::Int64Builder indices;
  while (indices.length() < rows) {
    const int64_t run = std::min(Pick(random, 1, run_max), rows - indices.length());
    int64_t index = Pick(random, 0, distinct - 1);
    for (int64_t tries = 0; !nullable && values->IsNull(index); ++tries) {
      index = (index + 1) % distinct;
      if (tries > distinct) return nullptr;
    }
    for (int64_t i = 0; i < run; ++i) EXPECT_TRUE(indices.Append(index).ok());
  }
  return arrow::compute::Take(*values, *indices.Finish().ValueOrDie()).ValueOrDie();
}

struct FileShape {
  bool dictionary = false;
  // Of BYTE_ARRAY columns and of the others; some types make others of them.
  bool delta = false;
  bool page_index = false;
  FileCut cut = {};
};

FileShape RandomShape(Random& random) {
  FileShape shape;
  shape.dictionary = Pick(random, 0, 1) == 0;
  shape.delta = Pick(random, 0, 1) == 0;
  shape.cut = testing::RandomCut({parquet::Compression::UNCOMPRESSED, parquet::Compression::SNAPPY,
                                  parquet::Compression::ZSTD, parquet::Compression::LZ4},
                                 random);
  shape.page_index = Pick(random, 0, 1) == 0;
  return shape;
}

parquet::Encoding::type DeltaOf(const parquet::ColumnDescriptor& column) {
  switch (column.physical_type()) {
    case parquet::Type::INT32:
    case parquet::Type::INT64:
      return parquet::Encoding::DELTA_BINARY_PACKED;
    case parquet::Type::BYTE_ARRAY:
      return parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
    case parquet::Type::DOUBLE:
      return parquet::Encoding::BYTE_STREAM_SPLIT;
    case parquet::Type::BOOLEAN:
      return parquet::Encoding::RLE;
    default:
      return parquet::Encoding::PLAIN;
  }
}

BufferPtr WriteColumn(const ArrayPtr& column, const FileShape& shape) {
  const auto schema = arrow::schema({Field("c", column->type(), shape.cut.nullable)});
  auto properties = testing::PropertiesOf(shape.cut);
  if (shape.page_index) properties.enable_write_page_index();
  std::shared_ptr<parquet::SchemaDescriptor> descriptor;
  EXPECT_TRUE(parquet::arrow::ToParquetSchema(schema.get(), *properties.build(), &descriptor).ok());
  for (int i = 0; i < descriptor->num_columns(); ++i) {
    const auto* leaf = descriptor->Column(i);
    if (!shape.dictionary) properties.disable_dictionary(leaf->path());
    if (!shape.dictionary && shape.delta) properties.encoding(leaf->path(), DeltaOf(*leaf));
  }
  return testing::WriteFile(column, shape.cut, properties);
}

// A row group's column chunks of a file with one field.
struct Chunks {
  explicit Chunks(const parquet::FileMetaData& metadata, int row_group) {
    for (int i = 0; i < metadata.num_columns(); ++i) {
      owned.push_back(metadata.RowGroup(row_group)->ColumnChunk(i));
      leaves.push_back({.column = metadata.schema()->Column(i), .chunk = owned.back().get()});
    }
  }

  std::vector<std::unique_ptr<parquet::ColumnChunkMetaData>> owned;
  std::vector<LeafColumn> leaves;
};

arrow::Result<OpenDecoder> OpenNested(const BufferPtr& bytes, int row_group, bool checksums) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  OpenDecoder opened{.file = OpenFile(bytes)};
  const auto metadata = opened.file->metadata();
  ARROW_ASSIGN_OR_RAISE(const ReadMapping mapping, MakeReadMapping(*metadata));
  opened.type = mapping.read_schema->field(0)->type();
  const Chunks chunks(*metadata, row_group);
  const auto& node = *metadata->schema()->group_node()->field(0);
  if (!CanDecodeNested(node, chunks.leaves, opened.type))
    return arrow::Status::NotImplemented("refused");
  std::vector<std::unique_ptr<parquet::PageReader>> pages;
  for (const LeafColumn& leaf : chunks.leaves)
    pages.push_back(testing::OpenPages(bytes, *leaf.chunk, *leaf.column, checksums));
  opened.rows = metadata->RowGroup(row_group)->num_rows();
  ARROW_ASSIGN_OR_RAISE(opened.decoder,
                        MakeNestedColumnDecoder(std::move(pages), node, chunks.leaves, opened.type,
                                                opened.rows, arrow::system_memory_pool()));
  return opened;
  END_PARQUET_CATCH_EXCEPTIONS
}

// The same array with the names that a file gives to the items of its lists.
std::shared_ptr<arrow::ArrayData> Renamed(const arrow::ArrayData& data, const TypePtr& type) {
  auto renamed = data.Copy();
  renamed->type = type;
  for (size_t i = 0; i < renamed->child_data.size(); ++i) {
    renamed->child_data[i] = Renamed(*data.child_data[i], type->field(static_cast<int>(i))->type());
  }
  return renamed;
}

// Writes a column, and expects of every row group what was written and Arrow's reader gives.
void ExpectSameAsArrow(const ArrayPtr& column, const FileShape& shape, Random& random) {
  const BufferPtr file = WriteColumn(column, shape);
  const auto metadata = OpenFile(file)->metadata();
  int64_t row = 0;
  for (int row_group = 0; row_group < metadata->num_row_groups(); ++row_group) {
    const int64_t rows = metadata->RowGroup(row_group)->num_rows();
    const auto by_arrow = DecodeWithArrow(file, row_group, /*checksums=*/true);
    // It stops at a page without a value, which its writer makes where pages are to be tiny.
    const bool stopped =
        shape.cut.page_bytes < 200 && (!by_arrow.ok() || (*by_arrow)->length() < rows);
    ASSERT_TRUE(by_arrow.ok() || stopped) << by_arrow.status();
    for (const int64_t step : {1, 7, 64, 1'000, 1 << 20}) {
      if (step == 1 && Pick(random, 0, 7) != 0) continue;
      auto decoder = OpenNested(file, row_group, /*checksums=*/true);
      ASSERT_TRUE(decoder.ok()) << decoder.status();
      const ArrayPtr expected =
          arrow::MakeArray(Renamed(*column->Slice(row, rows)->data(), decoder->type));
      ASSERT_TRUE(stopped || SameValues(*expected, **by_arrow));
      ExpectRows(*decoder->decoder, stopped ? expected : *by_arrow, step, random);
      if (::testing::Test::HasFatalFailure()) return;
    }
    row += rows;
  }
}

// A column of `type`, written in a random manner.
void ExpectSameAsArrow(const TypePtr& type, uint64_t seed) {
  Random random(seed);
  SCOPED_TRACE(std::to_string(seed) + " " + type->ToString());
  FileShape shape = RandomShape(random);
  shape.cut.nullable = Pick(random, 0, 3) != 0;
  const ArrayPtr column =
      RandomColumn(type, PickOf<int64_t>(random, {1, 65, 2'500}),
                   PickOf<int64_t>(random, {1, 3, 300}), PickOf<int64_t>(random, {1, 5, 300}),
                   PickOf<double>(random, {0, 0.1, 0.9}), shape.cut.nullable, random);
  if (column != nullptr) ExpectSameAsArrow(column, shape, random);
}

TypePtr Points() {
  return arrow::list(
      arrow::struct_({Field("x", arrow::float64(), true), Field("y", arrow::float64(), false)}));
}

std::vector<TypePtr> CommonTypes() {
  return {arrow::list(arrow::int64()),
          arrow::list(Field("element", arrow::utf8(), false)),
          arrow::large_list(arrow::boolean()),
          arrow::struct_({Field("a", arrow::int32(), true), Field("b", arrow::utf8(), false)}),
          arrow::struct_({Field("a", arrow::struct_({Field("b", arrow::int64(), false)}), true)}),
          arrow::map(arrow::utf8(), arrow::int64()),
          Points(),
          arrow::list(arrow::list(arrow::int32())),
          arrow::struct_({Field("a", arrow::list(arrow::utf8()), true),
                          Field("b", arrow::map(arrow::int32(), Points()), true)})};
}

TEST(NestedColumns, OfCommonTypesAreDecodedAsArrowDoes) {
  for (const TypePtr& type : CommonTypes()) {
    for (uint64_t seed = 0; seed < 25; ++seed) {
      ExpectSameAsArrow(type, seed);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(NestedColumns, OfAnyTypeAreDecodedAsArrowDoes) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const TypePtr type = RandomNestedType(static_cast<int>(1 + seed % 4), random);
    ExpectSameAsArrow(type, seed);
    if (HasFatalFailure()) return;
  }
}

TEST(NestedColumns, WithRowsOfManyItemsAreDecodedAsArrowDoes) {
  for (const auto version :
       {parquet::ParquetDataPageVersion::V1, parquet::ParquetDataPageVersion::V2}) {
    Random random(1);
    const ArrayPtr items =
        testing::RandomArray(arrow::int64(), {.length = 60'000, .null_share = 0.1}, random);
    arrow::Int32Builder offsets;
    for (const int32_t offset : {0, 20'000, 20'000, 20'001, 60'000}) {
      ASSERT_TRUE(offsets.Append(offset).ok());
    }
    const ArrayPtr column =
        arrow::ListArray::FromArrays(*offsets.Finish().ValueOrDie(), *items).ValueOrDie();
    ExpectSameAsArrow(column, {.cut = {.page_version = version, .page_bytes = 5'000}}, random);
  }
}

// All rows of the first row group.
arrow::Result<ArrayPtr> DecodeNested(const BufferPtr& file, int64_t step, bool checksums) {
  ARROW_ASSIGN_OR_RAISE(auto opened, OpenNested(file, 0, checksums));
  arrow::ArrayVector arrays;
  for (int64_t row = 0; row < opened.rows; row += step) {
    ARROW_ASSIGN_OR_RAISE(auto decoded, opened.decoder->Decode(std::min(step, opened.rows - row)));
    for (auto& array : decoded) {
      EXPECT_TRUE(array->ValidateFull().ok()) << array->ValidateFull();
      arrays.push_back(std::move(array));
    }
  }
  return arrow::Concatenate(arrays);
}

class DamagedPagesOfNested : public ::testing::TestWithParam<TypePtr> {};

TEST_P(DamagedPagesOfNested, GiveAnErrorOrWhatArrowMakesOfThem) {
  int failed = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    FileShape shape = RandomShape(random);
    shape.cut.row_group_rows = 1 << 20;
    const ArrayPtr column = RandomColumn(GetParam(), 300, PickOf<int64_t>(random, {3, 300}),
                                         PickOf<int64_t>(random, {1, 5}), 0.1, true, random);
    const BufferPtr damaged = testing::Damage(WriteColumn(column, shape), random);
    // Checksums of uncompressed pages would find all damage; without them it gets further.
    const bool checksums = seed % 4 == 0;
    const auto decoded = DecodeNested(damaged, PickOf<int64_t>(random, {50, 300}), checksums);
    SCOPED_TRACE(std::to_string(seed));
    if (!decoded.ok()) {
      ++failed;
      continue;
    }
    const auto expected = DecodeWithArrow(damaged, 0, checksums);
    if (expected.ok() && (*expected)->length() == 300) {
      ASSERT_TRUE(SameValues(**decoded, **expected));
    }
  }
  EXPECT_GT(failed, 100);
}

INSTANTIATE_TEST_SUITE_P(
    Types, DamagedPagesOfNested,
    ::testing::Values(arrow::list(arrow::int64()), arrow::map(arrow::binary(), arrow::int32()),
                      Points(), arrow::list(arrow::list(arrow::binary())),
                      arrow::struct_({Field("a", arrow::int32(), true),
                                      Field("b", arrow::list(arrow::boolean()), true)})),
    [](const auto& info) { return std::string(info.param->name()) + std::to_string(info.index); });

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
using Level = std::vector<int>;

// Each level as a run of its own.
std::string Runs(const Level& levels) {
  std::string runs(4, '\0');
  for (const int level : levels) {
    runs.push_back(2);
    runs.push_back(static_cast<char>(level));
  }
  const auto size = static_cast<uint32_t>(runs.size() - 4);
  std::memcpy(runs.data(), &size, sizeof(size));
  return runs;
}

std::shared_ptr<parquet::Page> DataPage(int32_t levels, const std::string& bytes) {
  return std::make_shared<parquet::DataPageV1>(
      arrow::Buffer::FromString(bytes), levels, parquet::Encoding::PLAIN, parquet::Encoding::RLE,
      parquet::Encoding::RLE, static_cast<int64_t>(bytes.size()));
}

// Of INT32 values 0, 1, 2...
std::shared_ptr<parquet::Page> DataPage(const Level& repetition, const Level& definition,
                                        int values) {
  std::string bytes = (repetition.empty() ? "" : Runs(repetition)) + Runs(definition);
  for (int i = 0; i < values; ++i) bytes += std::string{static_cast<char>(i), 0, 0, 0};
  return DataPage(static_cast<int32_t>(definition.size()), bytes);
}

// Decodes `rows` rows of these pages of each leaf, in two megabytes of memory.
arrow::Result<ArrayPtr> DecodePages(const TypePtr& type, int64_t rows,
                                    std::vector<Pages> pages_of_leaves, int64_t step = 1 << 20) {
  const auto file = OpenFile(WriteColumn(*arrow::MakeArrayOfNull(type, 1), {}));
  const auto metadata = file->metadata();
  const Chunks chunks(*metadata, 0);
  std::vector<std::unique_ptr<parquet::PageReader>> pages;
  for (Pages& of_leaf : pages_of_leaves) {
    pages.push_back(std::make_unique<PageList>(std::move(of_leaf)));
  }
  // The system's pool is one that AddressSanitizer watches.
  arrow::CappedMemoryPool pool(arrow::system_memory_pool(), 2 << 20);
  ARROW_ASSIGN_OR_RAISE(
      auto decoder,
      MakeNestedColumnDecoder(std::move(pages), *metadata->schema()->group_node()->field(0),
                              chunks.leaves, type, rows, &pool));
  arrow::ArrayVector all;
  for (int64_t row = 0; row < rows; row += step) {
    auto arrays = decoder->Decode(std::min(step, rows - row));
    if (!arrays.ok()) {
      // The error stays.
      EXPECT_EQ(decoder->Decode(0).status(), arrays.status());
      EXPECT_EQ(decoder->Skip(0), arrays.status());
      return arrays.status();
    }
    for (auto& array : *arrays) {
      EXPECT_TRUE(array->ValidateFull().ok()) << array->ValidateFull();
      all.push_back(std::move(array));
    }
  }
  return arrow::Concatenate(all);
}

std::string Shown(const arrow::Result<ArrayPtr>& array) {
  if (!array.ok()) return array.status().ToString();
  std::string shown;
  for (int64_t i = 0; i < (*array)->length(); ++i) {
    shown += (i > 0 ? " " : "") + (*array)->GetScalar(i).ValueOrDie()->ToString();
  }
  std::erase(shown, '\n');
  return shown;
}

const TypePtr kList = arrow::list(arrow::int32());
const TypePtr kLists = arrow::list(arrow::list(arrow::int32()));
const TypePtr kPairs = arrow::list(
    arrow::struct_({Field("a", arrow::int32(), true), Field("b", arrow::int32(), true)}));

// Levels of a list: 0 for a null one, 1 for an empty one, 2 for a null item, 3 for an item.
TEST(HandMadeLevels, SayWhichListsAreNullAndWhichAreEmpty) {
  const auto array = DecodePages(kList, 4, {{DataPage({0, 0, 0, 1, 0}, {0, 1, 2, 3, 3}, 2)}});
  ASSERT_TRUE(array.ok()) << array.status();
  const auto expected = DecodePages(
      kList, 4, {{DataPage({0, 0}, {0, 1}, 0), DataPage({0}, {2}, 0), DataPage({1, 0}, {3, 3}, 2)}},
      /*step=*/1);
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_TRUE((*array)->Equals(**expected));
  EXPECT_TRUE((*array)->IsNull(0));
  const auto& list = static_cast<const arrow::ListArray&>(**array);
  EXPECT_EQ(list.value_length(1), 0);
  EXPECT_EQ(list.value_length(2), 2);
  EXPECT_EQ(list.value_length(3), 1);
  EXPECT_TRUE(list.values()->IsNull(0));
}

TEST(HandMadeLevels, OfRowsThatGoOnInTheNextPagesAreReadAsOneRow) {
  for (const int64_t step : {1, 2}) {
    const auto array =
        DecodePages(kList, 2,
                    {{DataPage({0}, {3}, 1), DataPage({1, 1}, {3, 3}, 2),
                      DataPage(0, Runs({}) + Runs({})), DataPage({1, 0}, {3, 3}, 2)}},
                    step);
    ASSERT_TRUE(array.ok()) << array.status();
    const auto& list = static_cast<const arrow::ListArray&>(**array);
    EXPECT_EQ(list.value_length(0), 4);
    EXPECT_EQ(list.value_length(1), 1);
  }
}

TEST(HandMadeLevels, ThatContradictEachOtherAreAnError) {
  // The first row begins in the middle.
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({1}, {3}, 1)}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({1, 0}, {3, 3}, 2)}}).ok());
  // A list goes on that is null, or empty; or goes on with being null.
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0, 1}, {0, 3}, 1)}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0, 1}, {1, 3}, 1)}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0, 1}, {3, 1}, 1)}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0}, {1}, 0), DataPage({1}, {3}, 1)}}).ok());
  // Levels above the highest.
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0}, {4}, 1)}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0, 2}, {3, 3}, 2)}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0, 255}, {3, 3}, 2)}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0}, {255}, 1)}}).ok());
  // An inner list goes on in an outer one that has none.
  EXPECT_TRUE(DecodePages(kLists, 1, {{DataPage({0, 2, 1}, {5, 5, 5}, 3)}}).ok());
  EXPECT_FALSE(DecodePages(kLists, 1, {{DataPage({0, 2}, {1, 5}, 1)}}).ok());
  EXPECT_FALSE(DecodePages(kLists, 1, {{DataPage({0, 2}, {3, 5}, 1)}}).ok());
  EXPECT_FALSE(DecodePages(kLists, 1, {{DataPage({0, 1, 2}, {5, 2, 5}, 2)}}).ok());
}

TEST(HandMadeLevels, OfAnotherNumberOfRowsThanTheFooterSaysAreAnError) {
  const auto page = [] { return DataPage({0, 1, 0}, {3, 3, 3}, 3); };
  EXPECT_TRUE(DecodePages(kList, 2, {{page()}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{page()}}).ok());
  EXPECT_FALSE(DecodePages(kList, 3, {{page()}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{}}).ok());
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage(-1, "")}}).ok());
  const TypePtr flat = arrow::struct_({Field("a", arrow::int32(), true)});
  EXPECT_TRUE(DecodePages(flat, 2, {{DataPage({}, {2, 2}, 2)}}).ok());
  EXPECT_FALSE(DecodePages(flat, 1, {{DataPage({}, {2, 2}, 2)}}).ok());
  EXPECT_FALSE(DecodePages(flat, 3, {{DataPage({}, {2, 2}, 2)}}).ok());
}

TEST(HandMadeLevels, ThatAreCutOffAreAnError) {
  const std::string whole = Runs({0, 1}) + Runs({3, 3}) + std::string(8, '\1');
  EXPECT_TRUE(DecodePages(kList, 1, {{DataPage(2, whole)}}).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodePages(kList, 1, {{DataPage(2, whole.substr(0, size))}}).ok()) << size;
  }
  EXPECT_FALSE(DecodePages(kList, 1, {{DataPage({0}, {3, 3}, 2)}}).ok());
}

TEST(HandMadeLevels, InWhichColumnsOfAStructDisagreeAreAnError) {
  const auto decode = [](const Level& repetition_a, const Level& definition_a,
                         const Level& repetition_b, const Level& definition_b) {
    return DecodePages(
        kPairs, 2,
        {{DataPage(repetition_a, definition_a, 4)}, {DataPage(repetition_b, definition_b, 4)}});
  };
  // 0 and 1 for the list, 2 for a null struct, 3 for a null in it, 4 for a value.
  const auto well = decode({0, 1, 0}, {4, 3, 2}, {0, 1, 0}, {3, 4, 2});
  EXPECT_TRUE(well.ok()) << Shown(well);
  EXPECT_FALSE(decode({0, 1, 0}, {4, 3, 2}, {0, 0}, {3, 4}).ok());        // Fewer items,
  EXPECT_FALSE(decode({0, 1, 0}, {4, 3, 2}, {0, 0, 1}, {3, 4, 2}).ok());  // in other lists;
  EXPECT_FALSE(decode({0, 1, 0}, {4, 3, 2}, {0, 1, 0, 1}, {3, 4, 2, 4}).ok());
  EXPECT_FALSE(decode({0, 1, 0}, {4, 3, 2}, {0, 1, 0}, {3, 4, 1}).ok());  // an empty list,
  EXPECT_FALSE(decode({0, 1, 0}, {4, 3, 2}, {0, 1, 0}, {3, 4, 3}).ok());  // other nulls,
  EXPECT_FALSE(decode({0, 0}, {1, 1}, {0, 0}, {0, 1}).ok());
  EXPECT_FALSE(decode({0, 1, 0}, {4, 3, 2}, {0, 1}, {3, 4}).ok());  // or rows.

  // With a list beside a value the levels differ, the structs must not.
  const TypePtr mixed =
      arrow::list(arrow::struct_({Field("a", kList, true), Field("b", arrow::int32(), true)}));
  const Level lists = {0, 2, 1, 0};  // Two items, the first one with two of its own; one item.
  const Level lists_definition = {6, 6, 4, 2};
  const auto decode_mixed = [&](const Level& repetition, const Level& definition) {
    return DecodePages(
        mixed, 2, {{DataPage(lists, lists_definition, 4)}, {DataPage(repetition, definition, 4)}});
  };
  const auto well_mixed = decode_mixed({0, 1, 0}, {4, 3, 2});
  EXPECT_TRUE(well_mixed.ok()) << Shown(well_mixed);
  EXPECT_FALSE(decode_mixed({0, 1, 1, 0}, {4, 3, 3, 2}).ok());
  EXPECT_FALSE(decode_mixed({0, 0, 1}, {4, 3, 4}).ok());
  EXPECT_FALSE(decode_mixed({0, 1, 0}, {4, 2, 2}).ok());
  EXPECT_FALSE(decode_mixed({0, 1, 0}, {4, 3, 4}).ok());
}

TEST(HandMadeLevels, ThatClaimMoreThanMemoryHoldsAreAnErrorOrNulls) {
  // One row of 2^31 - 1 items, all null, in two runs of few bytes: one of levels of 1 but for the
  // first, one of levels of 2.
  std::string bytes = {8, 0, 0, 0, 2, 0, -4, -1, -1, -1, 15, 1};
  bytes += std::string({6, 0, 0, 0, -2, -1, -1, -1, 15, 2});
  const auto decoded = DecodePages(kList, 1, {{DataPage(INT32_MAX, bytes)}});
  EXPECT_TRUE(decoded.status().IsOutOfMemory()) << decoded.status();
}

// Lists as they were written before there were rules for them: the repeated node is the item.
TEST(ListsOfOld, AreDecodedWhereArrowKnowsThemToo) {
  using parquet::Repetition;
  using parquet::schema::GroupNode;
  using parquet::schema::PrimitiveNode;
  const auto leaf = [](const std::string& name, Repetition::type repetition) {
    return PrimitiveNode::Make(name, repetition, parquet::Type::INT32);
  };
  const auto list_of = [](const parquet::schema::NodePtr& repeated) {
    return GroupNode::Make("c", Repetition::OPTIONAL, {repeated}, parquet::LogicalType::List());
  };
  const auto group = [](const std::string& name, const parquet::schema::NodeVector& children) {
    return GroupNode::Make(name, Repetition::REPEATED, children);
  };
  const BufferPtr file = WriteColumn(*arrow::MakeArrayOfNull(arrow::int32(), 1), {});
  const auto chunk = OpenFile(file)->metadata()->RowGroup(0)->ColumnChunk(0);
  const auto decode = [&](const parquet::schema::NodePtr& node, int max_definition) {
    parquet::SchemaDescriptor descriptor;
    descriptor.Init(GroupNode::Make("schema", Repetition::REQUIRED, {node}));
    std::shared_ptr<arrow::Schema> schema;
    EXPECT_TRUE(parquet::arrow::FromParquetSchema(&descriptor, &schema).ok());
    std::vector<LeafColumn> leaves;
    std::vector<std::unique_ptr<parquet::PageReader>> pages;
    for (int i = 0; i < descriptor.num_columns(); ++i) {
      leaves.push_back({.column = descriptor.Column(i), .chunk = chunk.get()});
      pages.push_back(std::make_unique<PageList>(
          Pages{DataPage({0, 0, 0, 1}, {0, 1, max_definition, max_definition}, 2)}));
    }
    const TypePtr& type = schema->field(0)->type();
    const auto& root = *descriptor.group_node()->field(0);
    EXPECT_TRUE(CanDecodeNested(root, leaves, type)) << type->ToString();
    const auto decoder = MakeNestedColumnDecoder(std::move(pages), root, leaves, type, 3,
                                                 arrow::default_memory_pool());
    const auto arrays = (*decoder)->Decode(3);
    EXPECT_TRUE(arrays.ok()) << arrays.status();
    EXPECT_TRUE((*arrays)[0]->ValidateFull().ok());
    return Shown(arrays->front());
  };
  EXPECT_EQ(decode(list_of(leaf("item", Repetition::REPEATED)), 2),
            "null list<item: int32 not null>[] list<item: int32 not null>[0, 1]");
  EXPECT_EQ(decode(list_of(group("array", {leaf("x", Repetition::OPTIONAL)})), 3),
            "null list<array: struct<x: int32> not null>[] "
            "list<array: struct<x: int32> not null>[{x:int32 = 0}, {x:int32 = 1}]");
  EXPECT_EQ(decode(list_of(group(
                       "pair", {leaf("x", Repetition::REQUIRED), leaf("y", Repetition::REQUIRED)})),
                   2),
            "null list<pair: struct<x: int32 not null, y: int32 not null> not null>[] "
            "list<pair: struct<x: int32 not null, y: int32 not null> not null>"
            "[{x:int32 = 0, y:int32 = 0}, {x:int32 = 1, y:int32 = 1}]");
}

TEST(CanDecodeNested, RefusesWhatItDoesNotKnow) {
  const auto accepts = [](const TypePtr& stored, const TypePtr& wanted) {
    Random random(1);
    const ArrayPtr column = testing::RandomArray(stored, {.length = 1, .null_share = 0}, random);
    const auto file = OpenFile(WriteColumn(column, {}));
    const auto metadata = file->metadata();
    const Chunks chunks(*metadata, 0);
    return CanDecodeNested(*metadata->schema()->group_node()->field(0), chunks.leaves, wanted);
  };
  for (const TypePtr& type : CommonTypes()) EXPECT_TRUE(accepts(type, type)) << type->ToString();
  for (const TypePtr& type :
       {arrow::fixed_size_list(arrow::int32(), 2), arrow::list(arrow::decimal128(9, 2)),
        arrow::list(arrow::float16()),
        arrow::map(arrow::utf8(), arrow::fixed_size_list(arrow::int32(), 2))}) {
    EXPECT_FALSE(accepts(type, type)) << type->ToString();
  }
  EXPECT_FALSE(accepts(arrow::list(arrow::int32()), arrow::list(arrow::int64())));
  EXPECT_FALSE(accepts(arrow::list(arrow::int32()), arrow::int32()));
  EXPECT_FALSE(accepts(arrow::list(arrow::int32()), arrow::list_view(arrow::int32())));
  EXPECT_FALSE(accepts(arrow::list(Field("element", arrow::int32(), true)),
                       arrow::list(Field("element", arrow::int32(), false))));
  EXPECT_FALSE(accepts(kPairs, arrow::list(arrow::struct_({Field("a", arrow::int32(), true)}))));
}

}  // namespace
}  // namespace hangar
