// Writes the fuzzers' first inputs: make_corpus FOLDER, as FOLDER/FUZZER/NAME. They are small, as
// small inputs are tried most often, and the same each time.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/compression.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "fuzz/require.h"
#include "fuzz/service_under_test.h"
#include "tests/support/random_arrays.h"

namespace hangar::fuzz {
namespace {

using arrow::Compression;
using parquet::Encoding;
using std::string_literals::operator""s;
using SchemaPtr = std::shared_ptr<arrow::Schema>;
using TypePtr = std::shared_ptr<arrow::DataType>;

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void Add(const std::string& fuzzer, const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(folder_ / fuzzer);
    std::ofstream file(folder_ / fuzzer / name, std::ios::binary);
    file << bytes;
    Require(file.good(), name);
  }

  /// Numbered.
  void AddAll(const std::string& fuzzer, const std::vector<std::string>& inputs) const {
    for (size_t i = 0; i < inputs.size(); ++i) {
      Add(fuzzer, std::string(i < 10 ? "0" : "") + std::to_string(i), inputs[i]);
    }
  }

 private:
  const std::filesystem::path folder_;
};

// ---- text

void AddTexts(const Corpus& corpus) {
  corpus.AddAll("name", {"a", "sales/2026/eu.parquet", "a/../b", "/a", "a//b", ".a", "_hangar/x",
                         "a\\b", "\xc3\xbc.parquet", "a\xc2\x85", "a\xff", "1/2/3/4/5/6/7/8/9/10",
                         std::string(255, 'x')});
  corpus.AddAll("glob", {"*.parquet\0a.parquet"s, "**/x\0a/b/x"s, "a?c\0abc"s, "[a-c]*\0bcd"s,
                         "[!a-c]x\0dx"s, "\\*\0*"s, "[]]\0]"s, "[\0["s, "a*b*c\0axbxbc"s,
                         "*a*a*a*b\0aaaaaaaaaaaaaaaaaa"s, "sales/*/eu\0sales/2026/eu"s});
  corpus.AddAll("config", {"data = \"/srv\"\nlisten = \"grpc://0.0.0.0:8815\"\n",
                           "advertise = [\"grpc://a:1\", \"grpc+unix:///x\"]\n",
                           "cache_memory = \"25%\"\nlog_level = \"debug\"\nlog_format = \"json\"\n",
                           "grace = \"500ms\"\n", "512MiB", "30s", "grpc://127.0.0.1:0", "json",
                           "cahce_memory = 1\n", "[table]\nx = 1\n", "data = ", "x = '''\n"});
  corpus.AddAll(
      "command",
      {R"(r{"dataset":"a","columns":["x","y"],"offset":1,"limit":2,"partitions":3})",
       R"(r{"dataset":"a/b","version":"v","compression":"zstd"})", R"(r{"dataset":1})",
       R"(r{"dataset":"a","as_of":"2026-01-31T12:00:00.5+02:00"})",
       R"(u{"dataset":"a","upload_id":"x","rows":5})", R"(r{"dataset":"a","dataset":"b"})",
       R"(r{"dataset":"\u00e4\ud83d\ude00","limit":1e3})",
       R"(u{"dataset":"a","mode":"create","codec":"zstd","level":3,"row_group_rows":10})",
       R"(u{"dataset":"a","if_version":"v","encodings":{"x":"plain","y.z":"delta"}})",
       R"(c{"prefix":"a","glob":"*.parquet","after":"b","limit":10})", "c", "c{}",
       "psales\0eu.parquet"s, "pa/b", "p", "r", "u[]", "c{\"glob\":null}"});
  // The fuzzer takes each for the text of a ticket as well, and gives it its checksum.
  corpus.AddAll("ticket", {"a/b.parquet", R"({"d":"a","o":0})", R"({"o":0})",
                           R"({"d":"a","o":3,"v":"1","c":["x"],"l":9,"z":"lz4"})",
                           R"({"d":"a","o":9223372036854775807,"l":-1})", "\x01", "\x01{}",
                           "\x01"
                           "0123456789abcdef{}"});
}

void AddHttpTexts(const Corpus& corpus) {
  corpus.AddAll("http_text", {"t/v1/datasets/a/b%20c?columns=x,y&offset=1&limit=+2",
                              "thttp://host:80/v1/datasets?glob=**",
                              "t/v1/datasets/a/schema?as_of=2026-01-31T12:00:00Z",
                              "t/v1/datasets/a%2Fversions",
                              "t*",
                              "t/v1/datasets/a:rename",
                              "t/?%=",
                              "na/b.parquet",
                              "na/schema",
                              "n\xc3\xbc:undrop",
                              "r1000 bytes=0-9,500-,-8",
                              "r1000 bytes=900-9999999999999999999,0-0 , 5-6",
                              "r10 bytes=-0",
                              "r0 bytes=0-",
                              "a*/*",
                              "atext/csv;q=0.5, application/jsonl;q=0.7;v=1, */*;q=0",
                              "aapplication/vnd.apache.arrow.stream",
                              "dSun, 06 Nov 1994 08:49:37 GMT",
                              "dSunday, 06-Nov-94 08:49:37 GMT",
                              "dSun Nov  6 08:49:37 1994",
                              R"(e"v1", W/"x,y" ,"")",
                              R"(eW/"v1")",
                              "e*",
                              "p00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "pcc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"});
}

// ---- streams and files

std::vector<TypePtr> Types() {
  return {arrow::boolean(),
          arrow::int8(),
          arrow::uint16(),
          arrow::int32(),
          arrow::int64(),
          arrow::uint64(),
          arrow::float16(),
          arrow::float32(),
          arrow::float64(),
          arrow::utf8(),
          arrow::large_utf8(),
          arrow::utf8_view(),
          arrow::binary(),
          arrow::fixed_size_binary(3),
          arrow::fixed_size_binary(0),
          arrow::null(),
          arrow::date32(),
          arrow::date64(),
          arrow::time32(arrow::TimeUnit::SECOND),
          arrow::timestamp(arrow::TimeUnit::NANO, "UTC"),
          arrow::duration(arrow::TimeUnit::SECOND),
          arrow::decimal32(7, 2),
          arrow::decimal128(38, 10),
          arrow::decimal256(76, 3),
          arrow::dictionary(arrow::int8(), arrow::utf8()),
          arrow::list(arrow::int32()),
          arrow::large_list(arrow::utf8()),
          arrow::list_view(arrow::int16()),
          arrow::fixed_size_list(arrow::float32(), 3),
          arrow::map(arrow::utf8(), arrow::int64()),
          arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())}),
          arrow::list(arrow::list(arrow::utf8())),
          arrow::list(arrow::struct_({arrow::field("x", arrow::int64(), /*nullable=*/false),
                                      arrow::field("y", arrow::list(arrow::boolean()))}))};
}

SchemaPtr SchemaOf(const TypePtr& type, bool nullable = true) {
  return arrow::schema({arrow::field("c", type, nullable)});
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const SchemaPtr& schema, int64_t rows,
                                            std::mt19937_64& random) {
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    columns.push_back(testing::RandomArray(
        field->type(), {.length = rows, .null_share = field->nullable() ? 0.2 : 0}, random));
  }
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

std::string StreamOf(const SchemaPtr& schema, const arrow::RecordBatchVector& batches,
                     Compression::type codec) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.emit_dictionary_deltas = true;
  if (codec != Compression::UNCOMPRESSED) {
    options.codec = arrow::util::Codec::Create(codec).ValueOrDie();
  }
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto writer = arrow::ipc::MakeStreamWriter(sink, schema, options).ValueOrDie();
  for (const auto& batch : batches) RequireOk(writer->WriteRecordBatch(*batch));
  RequireOk(writer->Close());
  return sink->Finish().ValueOrDie()->ToString();
}

void AddStreams(const Corpus& corpus) {
  std::mt19937_64 random(1);
  std::vector<std::string> streams;
  arrow::FieldVector fields;
  for (const TypePtr& type : Types()) {
    const auto schema = SchemaOf(type);
    streams.push_back(StreamOf(schema, {BatchOf(schema, 5, random), BatchOf(schema, 3, random)},
                               Compression::UNCOMPRESSED));
    if (fields.size() < 6) fields.push_back(arrow::field(std::to_string(fields.size()), type));
  }
  const auto wide = arrow::schema(fields, arrow::key_value_metadata({"owner"}, {"someone"}));
  for (const auto codec : {Compression::ZSTD, Compression::LZ4_FRAME}) {
    streams.push_back(StreamOf(wide, {BatchOf(wide, 40, random)}, codec));
  }
  streams.push_back(StreamOf(wide, {}, Compression::UNCOMPRESSED));
  corpus.AddAll("upload", streams);
}

struct FileShape {
  TypePtr type;
  bool nullable = true;
  Encoding::type encoding = Encoding::UNKNOWN;  ///< UNKNOWN: dictionaries, as the writer has it.
  Compression::type codec = Compression::UNCOMPRESSED;
  bool pages_of_version_2 = false;
};

// Without page checksums, so that changed pages are looked at; the Arrow schema is left out where
// the type does not need it, as most of the file would be it.
std::string FileOf(const FileShape& shape, std::mt19937_64& random) {
  const auto schema = SchemaOf(shape.type, shape.nullable);
  parquet::WriterProperties::Builder properties;
  properties.version(parquet::ParquetVersion::PARQUET_2_6)
      ->compression(shape.codec)
      ->max_row_group_length(60)
      ->max_rows_per_page(25)
      ->write_batch_size(5)
      ->disable_statistics();
  if (shape.encoding != Encoding::UNKNOWN) {
    properties.disable_dictionary()->encoding(shape.encoding);
  }
  if (shape.pages_of_version_2) {
    properties.data_page_version(parquet::ParquetDataPageVersion::V2);
  }
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), sink,
                                                 properties.build())
                    .ValueOrDie();
  RequireOk(writer->WriteRecordBatch(*BatchOf(schema, 80, random)));
  RequireOk(writer->Close());
  return sink->Finish().ValueOrDie()->ToString();
}

std::vector<FileShape> FileShapes() {
  const auto nested =
      arrow::list(arrow::struct_({arrow::field("x", arrow::int64(), /*nullable=*/false),
                                  arrow::field("y", arrow::list(arrow::utf8()))}));
  std::vector<FileShape> shapes;
  for (const TypePtr& type :
       {arrow::boolean(), arrow::int32(), arrow::int64(), arrow::float64(), arrow::utf8(),
        arrow::fixed_size_binary(3), arrow::decimal128(20, 2), arrow::list(arrow::int32()),
        arrow::list(arrow::utf8()), arrow::map(arrow::utf8(), arrow::int32()), nested}) {
    shapes.push_back({.type = type});
    shapes.push_back({.type = type, .nullable = false, .encoding = Encoding::PLAIN});
    shapes.push_back({.type = type, .encoding = Encoding::PLAIN, .pages_of_version_2 = true});
  }
  for (const TypePtr& type : {arrow::int32(), arrow::int64()}) {
    shapes.push_back({.type = type, .encoding = Encoding::DELTA_BINARY_PACKED});
  }
  for (const TypePtr& type : {arrow::int32(), arrow::int64(), arrow::float32(), arrow::float64(),
                              arrow::fixed_size_binary(3)}) {
    shapes.push_back({.type = type, .encoding = Encoding::BYTE_STREAM_SPLIT});
  }
  for (const auto encoding : {Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY}) {
    shapes.push_back({.type = arrow::utf8(), .encoding = encoding});
    shapes.push_back({.type = arrow::list(arrow::utf8()), .encoding = encoding});
  }
  shapes.push_back({.type = arrow::fixed_size_binary(3), .encoding = Encoding::DELTA_BYTE_ARRAY});
  shapes.push_back({.type = arrow::boolean(), .encoding = Encoding::RLE});
  for (const auto codec : {Compression::SNAPPY, Compression::GZIP, Compression::BROTLI,
                           Compression::ZSTD, Compression::LZ4}) {
    shapes.push_back({.type = arrow::utf8(), .codec = codec});
    shapes.push_back({.type = nested, .codec = codec, .pages_of_version_2 = true});
  }
  return shapes;
}

// As an upload stores it, page checksums and all.
std::string UploadedFile(const TypePtr& type, std::mt19937_64& random) {
  ServiceUnderTest store(/*cache_bytes=*/0);
  const auto schema = SchemaOf(type);
  auto upload =
      store.service()
          .BeginUpload(Caller{},
                       {.dataset = std::string(ServiceUnderTest::kDataset), .row_group_rows = 30},
                       schema)
          .ValueOrDie();
  RequireOk(upload->Append(BatchOf(schema, 40, random)));
  RequireOk(upload->Commit().status());
  return store.Load();
}

void AddFiles(const Corpus& corpus) {
  std::mt19937_64 random(2);
  std::vector<std::string> files;
  for (const FileShape& shape : FileShapes()) files.push_back(FileOf(shape, random));
  for (const TypePtr& type : Types()) {
    if (type->id() == arrow::Type::INT8 || type->id() == arrow::Type::DATE64 ||
        arrow::is_nested(type->id()) || type->id() == arrow::Type::DICTIONARY) {
      files.push_back(UploadedFile(type, random));
    }
  }
  corpus.AddAll("parquet", files);
}

// ---- requests over HTTP

std::string Put(const std::string& target, const std::string& type, const std::string& body,
                const std::string& headers = "") {
  return "PUT /v1/datasets/" + target + "\nContent-Type: " + type + "\n" + headers + "\n" + body;
}

std::string Compressed(Compression::type codec, const std::string& text) {
  const auto compressor = arrow::util::Codec::Create(codec).ValueOrDie();
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  std::string out(static_cast<size_t>(compressor->MaxCompressedLen(std::ssize(text), bytes)), 0);
  const auto length = compressor->Compress(std::ssize(text), bytes, std::ssize(out),
                                           reinterpret_cast<uint8_t*>(out.data()));
  out.resize(static_cast<size_t>(length.ValueOrDie()));
  return out;
}

void AddHttpRequests(const Corpus& corpus) {
  std::mt19937_64 random(3);
  const auto schema = arrow::schema(
      {arrow::field("n", arrow::int64()), arrow::field("l", arrow::list(arrow::utf8()))});
  const std::string stream = StreamOf(schema, {BatchOf(schema, 5, random)}, Compression::ZSTD);
  const std::string file = UploadedFile(arrow::int32(), random);
  const std::string csv = "n,text,when\n1,\"a, b\",2026-01-31\nNA,,2026-02-01T00:00:00Z\n";
  const std::string lines = "{\"n\": 1.5, \"l\": [1, null], \"r\": {\"x\": \"\\u00fc\"}}\n{}\n";
  const std::string arrow = "application/vnd.apache.arrow.stream";
  corpus.AddAll(
      "http_request",
      {"GET /v1/datasets/f\n\n",
       "GET /v1/datasets/f\nRange: bytes=0-9,500-,-8\n\n",
       "GET /v1/datasets/f\nRange: bytes=0-3\nIf-Range: \"v\"\n\n",
       "HEAD /v1/datasets/f\nIf-None-Match: \"v\", W/\"w\"\n\n",
       "GET /v1/datasets/f\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\n\n",
       "GET /v1/datasets/f?columns=n,text&offset=10&limit=5&format=csv\n\n",
       "GET /v1/datasets/f?columns=when\nAccept: application/jsonl, */*;q=0.1\n\n",
       "GET /v1/datasets/f?format=arrow&as_of=2099-01-01T00:00:00Z\n\n",
       "GET /v1/datasets/f/schema\n\n",
       "GET /v1/datasets/f/schema\nAccept: " + arrow + "\n\n",
       "GET /v1/datasets/f/versions\n\n",
       "GET /v1/datasets?prefix=f&glob=*&after=a&limit=5\n\n",
       "GET /v1/openapi.json\n\n",
       "DELETE /v1/datasets/f?purge=true\nIf-Match: *\n\n",
       "POST /v1/datasets/f:rename\n\n{\"to\": \"g\", \"overwrite\": true}",
       "POST /v1/datasets/f:restore\n\n{\"as_of\": \"2026-01-31T12:00:00Z\"}",
       "POST /v1/datasets/f:undrop\n\n{}",
       Put("a", "text/csv", csv),
       Put("a?null=NA&rows=2", "text/csv", csv, "If-None-Match: *\n"),
       Put("a", "application/jsonl", lines),
       Put("a%2Fschema", arrow, stream),
       Put("f", "application/vnd.apache.parquet", file, "Idempotency-Key: \"k\"\n"),
       Put("f", "text/csv", Compressed(Compression::GZIP, csv), "Content-Encoding: gzip\n"),
       Put("f", "application/octet-stream", Compressed(Compression::ZSTD, file),
           "Content-Encoding: zstd\nIf-Match: *\n")});
}

}  // namespace
}  // namespace hangar::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_corpus FOLDER\n");
    return 2;
  }
  const hangar::fuzz::Corpus corpus(argv[1]);
  hangar::fuzz::AddTexts(corpus);
  hangar::fuzz::AddHttpTexts(corpus);
  hangar::fuzz::AddStreams(corpus);
  hangar::fuzz::AddFiles(corpus);
  hangar::fuzz::AddHttpRequests(corpus);
  return 0;
}
