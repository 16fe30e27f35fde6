// Stored files whose bytes changed: reading them gives an error that says so, or the right rows. Of
// bytes that no checksum covers it may give other rows, but does no harm.
//
// HANGAR_FAULT=long makes 10,000 changes instead of 500. Each has a seed of its own, which is named
// where it fails and which HANGAR_SEED gives back as the first one.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "base/text.h"
#include "decode/page_header_scan.h"
#include "fuzz/service_under_test.h"
#include "tests/support/random_arrays.h"

namespace hangar {
namespace {

using arrow::Compression;
using fuzz::ServiceUnderTest;
using parquet::Encoding;
using Random = std::mt19937_64;

constexpr int64_t kRows = 200;
constexpr int64_t kRowGroupRows = 70;
constexpr int64_t kCacheBytes = 4LL * 1024 * 1024;
// No file here is larger than some ten kilobytes.
constexpr int64_t kPoolBytesMax = 128LL * 1024 * 1024;

size_t Pick(Random& random, size_t low, size_t high) {
  return std::uniform_int_distribution<size_t>(low, high)(random);
}

// ---- files that are in order

struct Range {
  size_t begin = 0;
  size_t end = 0;
};

struct StoredFile {
  std::string name;
  std::string bytes;
  bool checksums = false;
  std::vector<Range> pages;    // Their bytes behind the headers: what checksums cover.
  std::vector<Range> headers;  // Of pages.
  size_t footer_begin = 0;
  std::vector<std::string> rows;
  std::map<std::string, std::vector<std::string>> rows_of_columns;
};

struct Shape {
  std::string name;
  arrow::FieldVector fields;
};

std::vector<Shape> Shapes() {
  const auto item = arrow::struct_({arrow::field("x", arrow::int64(), /*nullable=*/false),
                                    arrow::field("y", arrow::list(arrow::utf8()))});
  return {{"flat",
           {arrow::field("i", arrow::int64()), arrow::field("s", arrow::utf8()),
            arrow::field("d", arrow::float64(), /*nullable=*/false),
            arrow::field("b", arrow::boolean()),
            arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
            arrow::field("f", arrow::fixed_size_binary(5))}},
          {"nested",
           {arrow::field("l", arrow::list(arrow::int32())), arrow::field("n", arrow::list(item)),
            arrow::field("m", arrow::map(arrow::utf8(), arrow::int16())),
            arrow::field("z", arrow::fixed_size_list(arrow::float32(), 2))}},
          {"other",
           {arrow::field("k", arrow::dictionary(arrow::int32(), arrow::utf8())),
            arrow::field("p", arrow::decimal128(20, 3)), arrow::field("v", arrow::utf8_view()),
            arrow::field("h", arrow::float16())}}};
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const Shape& shape, Random& random) {
  arrow::ArrayVector columns;
  for (const auto& field : shape.fields) {
    columns.push_back(testing::RandomArray(
        field->type(), {.length = kRows, .null_share = field->nullable() ? 0.2 : 0}, random));
  }
  return arrow::RecordBatch::Make(arrow::schema(shape.fields), kRows, std::move(columns));
}

// As an upload stores it.
std::string StoreWithHangar(const arrow::RecordBatch& batch, const std::string& codec) {
  ServiceUnderTest& store = fuzz::SharedService(0);
  auto upload = store.service()
                    .BeginUpload(Caller{},
                                 {.dataset = std::string(ServiceUnderTest::kDataset),
                                  .codec = codec,
                                  .row_group_rows = kRowGroupRows},
                                 batch.schema())
                    .ValueOrDie();
  EXPECT_TRUE(upload->Append(batch.Slice(0)).ok());
  EXPECT_TRUE(upload->Commit().ok());
  return store.Load();
}

struct ArrowWriter {
  std::string name;
  bool checksums = false;
  bool dictionaries = true;
  Compression::type codec = Compression::UNCOMPRESSED;
  parquet::ParquetDataPageVersion pages = parquet::ParquetDataPageVersion::V1;
};

const std::vector<ArrowWriter> kArrowWriters = {
    {.name = "plain", .dictionaries = false},
    {.name = "dictionaries"},
    {.name = "zstd", .codec = Compression::ZSTD},
    {.name = "pages of version 2, snappy",
     .dictionaries = false,
     .codec = Compression::SNAPPY,
     .pages = parquet::ParquetDataPageVersion::V2},
    {.name = "checksums", .checksums = true, .dictionaries = false},
    {.name = "checksums, pages of version 2",
     .checksums = true,
     .pages = parquet::ParquetDataPageVersion::V2},
    {.name = "checksums, gzip", .checksums = true, .codec = Compression::GZIP},
};

std::string StoreWithArrow(const arrow::RecordBatch& batch, const ArrowWriter& how) {
  parquet::WriterProperties::Builder properties;
  properties.compression(how.codec)
      ->data_page_version(how.pages)
      ->max_row_group_length(kRowGroupRows)
      ->max_rows_per_page(30)
      ->write_batch_size(10);
  if (how.checksums) properties.enable_page_checksum();
  if (!how.dictionaries) properties.disable_dictionary();
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = parquet::arrow::FileWriter::Open(
                    *batch.schema(), arrow::default_memory_pool(), sink, properties.build(),
                    parquet::ArrowWriterProperties::Builder().store_schema()->build())
                    .ValueOrDie();
  EXPECT_TRUE(writer->WriteRecordBatch(batch).ok());
  EXPECT_TRUE(writer->Close().ok());
  return sink->Finish().ValueOrDie()->ToString();
}

// The number of bytes of the header at `bytes`: it is whole from there on.
size_t HeaderBytes(std::string_view bytes) {
  size_t length = 1;
  while (!ScanPageHeader(bytes.substr(0, length)).ValueOrDie()) ++length;
  return length;
}

void FindPages(StoredFile& file) {
  const auto metadata = parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(
                                                             arrow::Buffer::FromString(file.bytes)))
                            ->metadata();
  const std::string_view bytes = file.bytes;
  for (int group = 0; group < metadata->num_row_groups(); ++group) {
    for (int column = 0; column < metadata->num_columns(); ++column) {
      const auto chunk = metadata->RowGroup(group)->ColumnChunk(column);
      auto at = static_cast<size_t>(chunk->has_dictionary_page() ? chunk->dictionary_page_offset()
                                                                 : chunk->data_page_offset());
      const size_t end = at + static_cast<size_t>(chunk->total_compressed_size());
      while (at < end) {
        const size_t body = at + HeaderBytes(bytes.substr(at));
        const auto header = ScanPageHeader(bytes.substr(at)).ValueOrDie();
        file.headers.push_back({at, body});
        at = body + static_cast<size_t>(header->compressed_bytes);
        EXPECT_EQ(header->crc.has_value(), file.checksums) << file.name;
        if (at > body) file.pages.push_back({body, at});
      }
    }
  }
  file.footer_begin = file.bytes.size() - 8 - metadata->size();
}

StoredFile MakeFile(std::string name, std::string bytes, bool checksums) {
  StoredFile file{.name = std::move(name), .bytes = std::move(bytes), .checksums = checksums};
  FindPages(file);
  ServiceUnderTest& store = fuzz::SharedService(0);
  store.Place(file.bytes);
  const auto read = store.Read({}).ValueOrDie();
  file.rows = read.rows;
  EXPECT_EQ(std::ssize(file.rows), kRows) << file.name;
  for (const auto& field : read.schema->fields()) {
    file.rows_of_columns[field->name()] =
        store.Read({.columns = {{field->name()}}}).ValueOrDie().rows;
  }
  return file;
}

std::vector<StoredFile> MakeFiles() {
  Random random(1);
  std::vector<StoredFile> files;
  for (const Shape& shape : Shapes()) {
    const auto batch = BatchOf(shape, random);
    for (const char* codec : {"none", "snappy", "lz4", "zstd", "gzip", "brotli"}) {
      files.push_back(MakeFile(shape.name + " by Hangar, " + codec, StoreWithHangar(*batch, codec),
                               /*checksums=*/true));
    }
    for (const ArrowWriter& how : kArrowWriters) {
      files.push_back(MakeFile(shape.name + " by Arrow, " + how.name, StoreWithArrow(*batch, how),
                               how.checksums));
    }
  }
  return files;
}

// ---- damage

struct Damage {
  std::string what;
  std::string bytes;
  bool covered = false;  // All that changed is covered by checksums.
};

size_t PickIn(const std::vector<Range>& ranges, Random& random) {
  const Range& range = ranges[Pick(random, 0, ranges.size() - 1)];
  return Pick(random, range.begin, range.end - 1);
}

void FlipBitOf(std::string& bytes, size_t at, Random& random) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << Pick(random, 0, 7)));
}

Damage Flip(const StoredFile& file, std::string what, const std::vector<Range>& ranges,
            Random& random) {
  Damage damage{.what = std::move(what), .bytes = file.bytes};
  const size_t flips = Pick(random, 1, 3);
  for (size_t i = 0; i < flips; ++i) FlipBitOf(damage.bytes, PickIn(ranges, random), random);
  return damage;
}

// A run of bytes inside one page becomes zeros or noise, as a bad sector does it.
Damage Overwrite(const StoredFile& file, Random& random) {
  Damage damage{.what = "a page overwritten in part", .bytes = file.bytes};
  const Range& page = file.pages[Pick(random, 0, file.pages.size() - 1)];
  const size_t begin = Pick(random, page.begin, page.end - 1);
  const size_t end = Pick(random, begin + 1, page.end);
  const bool zeros = Pick(random, 0, 1) == 0;
  for (size_t at = begin; at < end; ++at) {
    damage.bytes[at] = zeros ? '\0' : static_cast<char>(Pick(random, 0, 255));
  }
  damage.covered = file.checksums;
  return damage;
}

Damage Cut(const StoredFile& file, Random& random) {
  const size_t size = file.bytes.size();
  const size_t at = Pick(random, 0, size - 1);
  switch (Pick(random, 0, 2)) {
    case 0:
      return {.what = "an end cut off", .bytes = file.bytes.substr(0, at)};
    case 1:
      return {.what = "a beginning cut off", .bytes = file.bytes.substr(at)};
    default:
      return {.what = "a middle cut out",
              .bytes = file.bytes.substr(0, at) + file.bytes.substr(Pick(random, at + 1, size))};
  }
}

Damage MakeDamage(const StoredFile& file, Random& random) {
  const size_t size = file.bytes.size();
  switch (Pick(random, 0, 9)) {
    case 0:
      return Cut(file, random);
    case 1:
      return Flip(file, "flips in what ends a file", {{size - 8, size}}, random);
    case 2:
    case 3:
      return Flip(file, "flips in a page's header", file.headers, random);
    case 4:
    case 5:
    case 6:
      return Flip(file, "flips in the footer", {{file.footer_begin, size - 8}}, random);
    case 7:
      return Overwrite(file, random);
    default: {
      Damage damage = Flip(file, "flips in pages", file.pages, random);
      damage.covered = file.checksums;
      return damage;
    }
  }
}

// ---- what must hold

// Whether a read answered as it must; `want` is what it gives of the file that was in order.
::testing::AssertionResult Answers(const arrow::Result<ServiceUnderTest::Rows>& read,
                                   const std::vector<std::string>& want, bool covered) {
  if (!read.ok()) {
    const ErrorKind kind = KindOf(read.status());
    // A column may be gone from a footer, and a size be more than there is memory.
    const bool fits = kind == ErrorKind::kDataLoss || kind == ErrorKind::kResourceExhausted ||
                      (kind == ErrorKind::kInvalidArgument && !covered);
    if (fits && IsValidUtf8(read.status().message())) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "it ends with " << read.status();
  }
  if (!covered) return ::testing::AssertionSuccess();
  if (read->complete && read->rows == want) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "it gives wrong rows";
}

void CheckReads(const StoredFile& file, const Damage& damage, int64_t cache_bytes,
                std::map<std::string, int>& answers) {
  ServiceUnderTest& store = fuzz::SharedService(cache_bytes);
  store.Place(damage.bytes);
  const std::string dataset(ServiceUnderTest::kDataset);
  const auto described = store.service().DescribeRead(Caller{}, {.dataset = dataset}, 3);
  if (!described.ok()) {
    EXPECT_EQ(KindOf(described.status()), ErrorKind::kDataLoss) << described.status();
    EXPECT_FALSE(damage.covered) << "pages do not change what is described";
    ++answers["not served"];
    return;
  }
  const size_t offset = 65;
  const size_t limit = 90;
  const std::vector<std::string> part(file.rows.begin() + offset,
                                      file.rows.begin() + offset + limit);
  EXPECT_TRUE(
      Answers(store.Read({.offset_rows = offset, .limit_rows = limit}), part, damage.covered));
  const auto whole = store.Read({});
  EXPECT_TRUE(Answers(whole, file.rows, damage.covered));
  for (const auto& [column, rows] : file.rows_of_columns) {
    EXPECT_TRUE(Answers(store.Read({.columns = {{column}}}), rows, damage.covered)) << column;
  }
  ++answers[!whole.ok() ? "errors" : whole->rows == file.rows ? "right rows" : "other rows"];
}

uint64_t SeedOfRun() {
  if (const char* given = std::getenv("HANGAR_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device()();
}

TEST(DamagedFiles, GiveAnErrorOrTheRightRowsAndNeverHarm) {
  const char* form = std::getenv("HANGAR_FAULT");
  const int count = form != nullptr && std::string_view(form) == "long" ? 10'000 : 500;
  const uint64_t first_seed = SeedOfRun();
  std::printf("fault: damaged files: HANGAR_SEED=%llu\n",
              static_cast<unsigned long long>(first_seed));
  const std::vector<StoredFile> files = MakeFiles();
  std::map<std::string, int> answers;
  for (int i = 0; i < count && !::testing::Test::HasFailure(); ++i) {
    const uint64_t seed = first_seed + static_cast<uint64_t>(i);
    Random random(seed);
    const StoredFile& file = files[Pick(random, 0, files.size() - 1)];
    const Damage damage = MakeDamage(file, random);
    SCOPED_TRACE(file.name + ", " + damage.what + ": HANGAR_SEED=" + std::to_string(seed));
    CheckReads(file, damage, Pick(random, 0, 1) == 0 ? 0 : kCacheBytes, answers);
    EXPECT_LT(arrow::default_memory_pool()->max_memory(), kPoolBytesMax);
  }
  for (const auto& [answer, times] : answers) {
    std::printf("fault: damaged files: %s %d\n", answer.c_str(), times);
  }
}

}  // namespace
}  // namespace hangar
