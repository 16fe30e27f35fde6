// What it costs to choose how a column is encoded, and what each way of encoding it costs and
// takes: the figures behind encoding_choice.cc. A value is 65,536 rows of one column.

#include <cmath>
#include <format>
#include <functional>
#include <random>
#include <string>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "encode/column_encoder.h"

namespace hangar {
namespace {

constexpr int64_t kRows = 65'536;

struct Shape {
  std::string name;
  std::shared_ptr<arrow::Array> values;
};

template <typename Builder>
std::shared_ptr<arrow::Array> Array(
    const std::function<typename Builder::value_type(int64_t)>& make) {
  Builder builder;
  for (int64_t i = 0; i < kRows; ++i) (void)builder.Append(make(i));
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Strings(const std::function<std::string(int64_t)>& make) {
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < kRows; ++i) (void)builder.Append(make(i));
  return builder.Finish().ValueOrDie();
}

std::vector<Shape> Shapes() {
  std::mt19937_64 random(1);
  const auto normal = [&] { return std::normal_distribution<>()(random); };
  double level = 0;
  return {
      {"sequence", Array<arrow::Int64Builder>([](int64_t i) { return i; })},
      {"noise", Array<arrow::DoubleBuilder>([&](int64_t) { return normal(); })},
      {"prices",
       Array<arrow::DoubleBuilder>([&](int64_t) { return std::round(normal() * 2000) / 100; })},
      {"series", Array<arrow::DoubleBuilder>([&](int64_t) { return level += normal(); })},
      {"zones", Strings([&](int64_t) { return std::format("zone {:03}", random() % 265); })},
      {"keys", Strings([&](int64_t i) { return std::format("item/{:010}/{:016x}", i, random()); })},
      {"text", Strings([&](int64_t) {
         std::string words;
         for (int i = 0; i < 8; ++i) words += std::format("word{} ", random() % 300);
         return words;
       })},
  };
}

std::shared_ptr<parquet::SchemaDescriptor> ColumnsOf(const arrow::Array& values) {
  std::shared_ptr<parquet::SchemaDescriptor> columns;
  (void)parquet::arrow::ToParquetSchema(arrow::schema({arrow::field("x", values.type())}).get(),
                                        *parquet::default_writer_properties(), &columns);
  return columns;
}

void Choose(benchmark::State& state, const Shape& shape) {
  const auto columns = ColumnsOf(*shape.values);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ChooseEncoding(*columns->Column(0), {shape.values}, kRows, {}));
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

void Encode(benchmark::State& state, const Shape& shape, const EncodingChoice& choice) {
  const auto columns = ColumnsOf(*shape.values);
  const LeafPlan plan{.column = columns->Column(0), .choice = choice};
  const auto field = arrow::field("x", shape.values->type());
  auto encoder = MakeFlatColumnEncoder(plan, field, arrow::default_memory_pool()).ValueOrDie();
  int64_t bytes = 0;
  for (auto _ : state) {
    (void)encoder->Append(shape.values);
    bytes = encoder->FinishRowGroup().ValueOrDie().front().compressed_bytes;
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["bytes_per_value"] = static_cast<double>(bytes) / kRows;
}

bool Register() {
  const std::pair<const char*, ColumnCodec> codecs[] = {
      {"none", {}},
      {"lz4", {.type = arrow::Compression::LZ4}},
      {"snappy", {.type = arrow::Compression::SNAPPY}},
      {"zstd", {.type = arrow::Compression::ZSTD, .level = 1}}};
  for (const Shape& shape : Shapes()) {
    benchmark::RegisterBenchmark("Choose/" + shape.name,
                                 [shape](benchmark::State& state) { Choose(state, shape); });
    const auto columns = ColumnsOf(*shape.values);
    for (const auto encoding : {ColumnEncoding::kPlain, ColumnEncoding::kDictionary,
                                ColumnEncoding::kDelta, ColumnEncoding::kByteStreamSplit}) {
      if (!Fits(encoding, *columns->Column(0))) continue;
      for (const auto& [codec_name, codec] : codecs) {
        const EncodingChoice choice{.encoding = encoding, .codec = codec};
        benchmark::RegisterBenchmark(
            std::format("Encode/{}/{}/{}", shape.name, ColumnEncodingName(encoding), codec_name),
            [shape, choice](benchmark::State& state) { Encode(state, shape, choice); });
      }
    }
  }
  return true;
}

const bool kRegistered = Register();

}  // namespace
}  // namespace hangar
