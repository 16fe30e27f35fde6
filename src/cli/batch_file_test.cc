// The readers and writers of files, against each other.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include "base/error.h"
#include "cli/batch_file_reader.h"
#include "cli/batch_file_writer.h"

namespace hangar::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class BatchFileTest : public testing::Test {
 protected:
  BatchFileTest() {
    std::string pattern = testing::TempDir() + "hangar-batch-file-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~BatchFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }

  std::string Text(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }

  std::string Contents(const std::string& name) const {
    std::ifstream in(Path(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void Write(const std::string& name, const std::vector<std::shared_ptr<arrow::RecordBatch>>& all) {
    const auto out = *arrow::io::FileOutputStream::Open(Path(name));
    const auto writer = BatchFileWriter::Open(*ResolveType(name, ""), all[0]->schema(), out);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const auto& batch : all) ASSERT_TRUE((*writer)->Write(batch).ok());
    ASSERT_TRUE((*writer)->Close().ok());
    ASSERT_TRUE(out->Close().ok());
  }

  static arrow::Result<std::shared_ptr<arrow::Table>> Read(const std::vector<std::string>& paths,
                                                           const ReadFileOptions& options = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto file, OpenBatchFiles(paths, options));
    return file.batches->ToTable();
  }

  std::filesystem::path folder_;
};

std::shared_ptr<arrow::RecordBatch> Batch() {
  const auto schema =
      arrow::schema({arrow::field("i", arrow::int64()), arrow::field("f", arrow::float64()),
                     arrow::field("s", arrow::utf8()), arrow::field("b", arrow::boolean()),
                     arrow::field("d", arrow::date32())});
  const auto rows = arrow::json::ArrayFromJSONString(
      arrow::struct_(schema->fields()),
      R"([[1, 1.5, "a,\"b\"\n", true, 1], [null, null, null, null, null],
          [-3, 3, "", false, 20000]])");
  return *arrow::RecordBatch::FromStructArray(*rows);
}

TEST_F(BatchFileTest, EveryFormatGivesBackWhatWasWritten) {
  const auto table = *arrow::Table::FromRecordBatches({Batch(), Batch()});
  for (const char* name :
       {"a.parquet", "a.arrow", "a.arrows", "a.csv", "a.tsv", "a.csv.gz", "a.csv.zst"}) {
    Write(name, {Batch(), Batch()});
    const auto read = Read({Path(name)});
    ASSERT_TRUE(read.ok()) << name << read.status();
    EXPECT_TRUE((*read)->CombineChunks().ValueOrDie()->Equals(*table->CombineChunks().ValueOrDie()))
        << name << (*read)->ToString();
  }
}

TEST_F(BatchFileTest, JsonLinesAreAnObjectALine) {
  Write("a.jsonl", {Batch()});
  EXPECT_EQ(Contents("a.jsonl"),
            "{\"i\":1,\"f\":1.5,\"s\":\"a,\\\"b\\\"\\n\",\"b\":true,\"d\":\"1970-01-02\"}\n"
            "{\"i\":null,\"f\":null,\"s\":null,\"b\":null,\"d\":null}\n"
            "{\"i\":-3,\"f\":3.0,\"s\":\"\",\"b\":false,\"d\":\"2024-10-04\"}\n");
  for (const char* name : {"a.jsonl", "b.jsonl.gz", "c.json.zst"}) {
    Write(name, {Batch()});
    const auto read = Read({Path(name)});
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE((*read)->column(0)->Equals(arrow::ChunkedArray(Batch()->column(0)))) << name;
    EXPECT_TRUE((*read)->column(2)->Equals(arrow::ChunkedArray(Batch()->column(2)))) << name;
  }
}

TEST_F(BatchFileTest, CsvTellsEmptyTextFromNull) {
  Write("a.csv", {Batch()});
  EXPECT_EQ(Contents("a.csv"),
            "i,f,s,b,d\n1,1.5,\"a,\"\"b\"\"\n\",true,1970-01-02\n,,,,\n-3,3.0,\"\",false,2024-10-04"
            "\n");
}

TEST_F(BatchFileTest, CsvTakesOtherTextsForNull) {
  const std::string path = Text("a.csv", "x,y\nNA,NA\n1,b\n");
  const auto plain = *Read({path});
  EXPECT_EQ(plain->schema()->field(0)->type()->id(), arrow::Type::STRING);
  const auto typed = *Read({path}, {.format = "", .null_texts = {"NA"}, .expected = nullptr});
  EXPECT_EQ(typed->schema()->field(0)->type()->id(), arrow::Type::INT64);
  EXPECT_EQ(typed->column(1)->null_count(), 1);
}

TEST_F(BatchFileTest, ParquetKeepsTheSchemaAndGathersRowGroups) {
  const auto metadata = arrow::key_value_metadata({{"k", "v"}});
  const auto batch = Batch()->ReplaceSchemaMetadata(metadata);
  Write("a.parquet", std::vector(100, batch));
  const auto read = *Read({Path("a.parquet")});
  EXPECT_EQ(*read->schema()->metadata()->Get("k"), "v");
  const auto file = parquet::ParquetFileReader::OpenFile(Path("a.parquet"));
  EXPECT_EQ(file->metadata()->num_row_groups(), 1);
  EXPECT_EQ(file->metadata()->num_rows(), 300);
}

TEST_F(BatchFileTest, AnArrowFileTakesDictionariesThatDiffer) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto schema = arrow::schema({arrow::field("x", type)});
  const auto make = [&](const char* indices, const char* values) {
    return arrow::RecordBatch::Make(schema, 3,
                                    {*arrow::json::DictArrayFromJSONString(type, indices, values)});
  };
  Write("a.arrow", {make("[0, 1, null]", R"(["a", "b"])"), make("[0, 1, 0]", R"(["b", "c"])"),
                    make("[1, 1, 1]", R"(["b", "c"])")});
  const auto table = *Read({Path("a.arrow")});
  std::string text;
  for (const auto& chunk : table->column(0)->chunks()) {
    const auto& values = static_cast<const arrow::DictionaryArray&>(*chunk);
    const auto& words = static_cast<const arrow::StringArray&>(*values.dictionary());
    for (int64_t i = 0; i < values.length(); ++i) {
      text += values.IsNull(i) ? "-" : words.GetString(values.GetValueIndex(i));
    }
  }
  EXPECT_EQ(text, "ab-bcbccc");
}

TEST_F(BatchFileTest, AStreamInAnArrowFilesNameIsRead) {
  Write("a.arrows", {Batch()});
  std::filesystem::rename(Path("a.arrows"), Path("b.arrow"));
  EXPECT_EQ((*Read({Path("b.arrow")}))->num_rows(), 3);
}

TEST_F(BatchFileTest, FilesAreJoinedInOrderWithTheFirstOnesTypes) {
  const auto table =
      Read({Text("a.csv", "x,y\n1.5,a\n"), Text("b.csv", "x,y\n2,b\n"), Text("c.csv", "x,y\n")});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ((*table)->schema()->ToString(), "x: double\ny: string");
  EXPECT_EQ((*table)->num_rows(), 2);
}

TEST_F(BatchFileTest, FilesOfOtherColumnsAreRefusedByName) {
  const std::string first = Text("a.csv", "x,y\n1,a\n");
  const auto message = [&](const std::string& text) {
    const auto table = Read({first, Text("b.csv", text)});
    EXPECT_EQ(KindOf(table.status()), ErrorKind::kInvalidArgument);
    EXPECT_THAT(table.status().message(), HasSubstr("b.csv'"));
    return table.status().message();
  };
  EXPECT_THAT(message("x,z\n1,a\n"), HasSubstr("column 2 is 'z' rather than 'y'"));
  EXPECT_THAT(message("x\n1\n"), HasSubstr("it lacks column 'y'"));
  EXPECT_THAT(message("x,y,z\n1,a,b\n"), HasSubstr("it also has column 'z'"));
  Write("c.parquet", {Batch()});
  const auto table = Read({Path("c.parquet"), first});
  EXPECT_THAT(table.status().message(),
              AllOf(HasSubstr("a.csv'"), HasSubstr("column 1 is 'x' rather than 'i'")));
}

TEST_F(BatchFileTest, AnotherTypeIsRefusedByName) {
  Write("a.parquet", {Batch()->RemoveColumn(1).ValueOrDie()});
  Write("b.parquet", {Batch()
                          ->RemoveColumn(1)
                          .ValueOrDie()
                          ->SetColumn(0, arrow::field("i", arrow::int8()),
                                      *arrow::MakeArrayOfNull(arrow::int8(), 3))
                          .ValueOrDie()});
  const auto table = Read({Path("a.parquet"), Path("b.parquet")});
  EXPECT_THAT(table.status().message(),
              AllOf(HasSubstr("b.parquet'"), HasSubstr("column 'i' is int8 rather than int64")));
}

TEST_F(BatchFileTest, BadFilesAreRefusedByName) {
  const auto refused = [&](const std::string& path) {
    const auto status = Read({path}).status();
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument) << status;
    EXPECT_THAT(status.message(), HasSubstr(path));
    EXPECT_THAT(status.message(), testing::Not(HasSubstr("\n")));
    return status.message();
  };
  refused(Text("bad.parquet", "this is no Parquet file, but long enough to look like one"));
  refused(Text("bad.arrow", "ARROW1 and then nothing"));
  refused(Text("bad.arrows", "neither"));
  refused(Text("bad.csv", "x,y\n1\n"));
  refused(Text("bad.jsonl", "{\"x\": 1}\nnot json\n"));
  refused(Text("empty.csv", ""));
  EXPECT_THAT(refused(Text("array.json", " [{\"x\": 1}]")), HasSubstr("JSON lines"));
  refused(Text("unknown.txt", "x"));
  const auto missing = Read({Path("missing.csv")}).status();
  EXPECT_EQ(KindOf(missing), ErrorKind::kNotFound);
  EXPECT_THAT(missing.message(),
              AllOf(HasSubstr("missing.csv"), HasSubstr("No such file or directory")));
}

TEST_F(BatchFileTest, ATruncatedFileFails) {
  Write("a.arrows", std::vector(3, Batch()));
  std::filesystem::resize_file(Path("a.arrows"), std::filesystem::file_size(Path("a.arrows")) - 80);
  EXPECT_EQ(KindOf(Read({Path("a.arrows")}).status()), ErrorKind::kInvalidArgument);
}

TEST_F(BatchFileTest, TellsHowFarItIs) {
  for (const char* name : {"a.parquet", "a.arrow", "a.arrows", "a.csv", "a.csv.gz"}) {
    Write(name, {Batch()});
    const auto file = *OpenBatchFile(Path(name), {});
    ASSERT_TRUE(file.batches->ToTable().ok());
    EXPECT_EQ(file.fraction(), 1.0) << name;
  }
}

TEST_F(BatchFileTest, ParquetRefusesWhatItCannotHold) {
  const auto schema =
      arrow::schema({arrow::field("x", arrow::sparse_union({arrow::field("i", arrow::int8())}))});
  const auto out = *arrow::io::FileOutputStream::Open(Path("a.parquet"));
  const auto writer = BatchFileWriter::Open({.format = FileFormat::kParquet}, schema, out);
  EXPECT_EQ(KindOf(writer.status()), ErrorKind::kInvalidArgument);
  EXPECT_THAT(writer.status().message(), HasSubstr("Parquet"));
}

}  // namespace
}  // namespace hangar::cli
