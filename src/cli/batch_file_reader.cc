#include "cli/batch_file_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>
#include <string_view>
#include <system_error>
#include <utility>

#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/json/options.h>
#include <arrow/json/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <arrow/util/io_util.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/descriptor_stream.h"
#include "cli/terminal.h"

namespace hangar::cli {
namespace {

// The types are guessed from the first block, so it is a large one. Arrow reads up to 32 blocks
// ahead, so the others are smaller; a line cannot be longer than one of them.
constexpr int32_t kFirstTextBlockBytes = 16 << 20;
constexpr int64_t kTextBlockBytes = 4 << 20;
constexpr int64_t kParquetBatchRows = 64 << 10;

std::string NameOf(const std::string& path) {
  return path == kStandardStream ? "standard input" : Quoted(path);
}

// A library's error about a file's content, as one sentence.
arrow::Status Unreadable(const std::string& path, const arrow::Status& status) {
  if (status.ok() || HasErrorKind(status)) return status;
  if (const int number = arrow::internal::ErrnoFromStatus(status); number != 0) {
    return Error(number == ENOENT ? ErrorKind::kNotFound : ErrorKind::kInvalidArgument,
                 "cannot read {}: {}", NameOf(path), std::strerror(number));
  }
  return Error(ErrorKind::kInvalidArgument, "cannot read {}: {}", NameOf(path),
               OneLine(status.message()));
}

// What a reader stands on, and how far it is.
struct Source {
  std::shared_ptr<arrow::io::InputStream> stream;
  std::shared_ptr<arrow::io::RandomAccessFile> file;  // Null for standard input and pipes.
  std::shared_ptr<std::atomic<int64_t>> bytes_read = std::make_shared<std::atomic<int64_t>>(0);
  int64_t size = -1;

  std::function<std::optional<double>()> Fraction() const {
    return [bytes = bytes_read, whole = size]() -> std::optional<double> {
      if (whole <= 0) return std::nullopt;
      return std::min(1.0, static_cast<double>(*bytes) / static_cast<double>(whole));
    };
  }
};

// Counts what is read from a stream.
class CountingStream final : public arrow::io::InputStream {
 public:
  CountingStream(std::shared_ptr<arrow::io::InputStream> in,
                 std::shared_ptr<std::atomic<int64_t>> bytes_read)
      : in_(std::move(in)), bytes_read_(std::move(bytes_read)) {}

  arrow::Status Close() override { return in_->Close(); }
  bool closed() const override { return in_->closed(); }
  arrow::Result<int64_t> Tell() const override { return in_->Tell(); }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t count, in_->Read(bytes, out));
    *bytes_read_ += count;
    return count;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, in_->Read(bytes));
    *bytes_read_ += buffer->size();
    return buffer;
  }

 private:
  const std::shared_ptr<arrow::io::InputStream> in_;
  const std::shared_ptr<std::atomic<int64_t>> bytes_read_;
};

// Gives the first read all that it asks for, later ones no more than a block.
class TextBlocks final : public arrow::io::InputStream {
 public:
  explicit TextBlocks(std::shared_ptr<arrow::io::InputStream> in) : in_(std::move(in)) {}

  arrow::Status Close() override { return in_->Close(); }
  bool closed() const override { return in_->closed(); }
  arrow::Result<int64_t> Tell() const override { return in_->Tell(); }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    return in_->Read(Cut(bytes), out);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    return in_->Read(Cut(bytes));
  }

 private:
  int64_t Cut(int64_t bytes) {
    return std::exchange(first_, false) ? bytes : std::min(bytes, kTextBlockBytes);
  }

  const std::shared_ptr<arrow::io::InputStream> in_;
  bool first_ = true;
};

arrow::Result<Source> OpenSource(const std::string& path) {
  Source source;
  std::shared_ptr<arrow::io::InputStream> raw;
  std::error_code error;
  if (path == kStandardStream) {
    ARROW_ASSIGN_OR_RAISE(raw, OpenStandardInput());
  } else if (std::filesystem::is_fifo(path, error) ||
             std::filesystem::is_character_file(path, error)) {
    const int pipe = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (pipe < 0) return arrow::internal::IOErrorFromErrno(errno, "open failed");
    raw = MakeDescriptorInput(pipe);
  } else {
    ARROW_ASSIGN_OR_RAISE(source.file, arrow::io::ReadableFile::Open(path));
    ARROW_ASSIGN_OR_RAISE(source.size, source.file->GetSize());
    raw = source.file;
  }
  source.stream = std::make_shared<CountingStream>(std::move(raw), source.bytes_read);
  return source;
}

// Keeps what a reader needs alive, names the file in errors.
class FileBatches final : public arrow::RecordBatchReader {
 public:
  FileBatches(std::string path, std::shared_ptr<arrow::RecordBatchReader> batches,
              std::shared_ptr<void> needed, std::function<void()> on_batch)
      : path_(std::move(path)),
        needed_(std::move(needed)),
        batches_(std::move(batches)),
        on_batch_(std::move(on_batch)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    // Parquet throws for some damage.
    try {
      ARROW_RETURN_NOT_OK(Unreadable(path_, batches_->ReadNext(batch)));
    } catch (const parquet::ParquetException& error) {
      return Unreadable(path_, arrow::Status::Invalid(error.what()));
    }
    if (on_batch_) on_batch_();
    return arrow::Status::OK();
  }

 private:
  const std::string path_;
  const std::shared_ptr<void> needed_;
  const std::shared_ptr<arrow::RecordBatchReader> batches_;
  const std::function<void()> on_batch_;
};

BatchFile MakeBatchFile(const std::string& path, std::shared_ptr<arrow::RecordBatchReader> batches,
                        const Source& source, std::shared_ptr<void> needed = nullptr) {
  return {std::make_shared<FileBatches>(path, std::move(batches), std::move(needed), nullptr),
          source.Fraction()};
}

arrow::Status NeedsAFile(const std::string& path, const char* format) {
  return Error(ErrorKind::kInvalidArgument,
               "{} is a stream, and {} has to be read from a file: give the file's name",
               NameOf(path), format);
}

arrow::Result<BatchFile> OpenParquet(const std::string& path, const Source& source) {
  if (source.file == nullptr) return NeedsAFile(path, "Parquet");
  parquet::ArrowReaderProperties properties(/*use_threads=*/true);
  properties.set_batch_size(kParquetBatchRows);
  properties.set_pre_buffer(false);  // It would keep all that was read.
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(source.file));
  builder.properties(properties);
  std::shared_ptr<parquet::arrow::FileReader> reader;
  ARROW_ASSIGN_OR_RAISE(reader, builder.Build());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches,
                        reader->GetRecordBatchReader());
  const int64_t rows = reader->parquet_reader()->metadata()->num_rows();
  auto read = std::make_shared<std::atomic<int64_t>>(0);
  BatchFile file;
  file.batches = std::make_shared<FileBatches>(path, std::move(batches), std::move(reader),
                                               [read] { *read += kParquetBatchRows; });
  file.fraction = [read, rows]() -> std::optional<double> {
    if (rows <= 0) return std::nullopt;
    return std::min(1.0, static_cast<double>(*read) / static_cast<double>(rows));
  };
  return file;
}

// The batches of an Arrow file, in order.
class ArrowFileBatches final : public arrow::RecordBatchReader {
 public:
  ArrowFileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader,
                   std::shared_ptr<std::atomic<int64_t>> next)
      : reader_(std::move(reader)), next_(std::move(next)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (*next_ >= reader_->num_record_batches()) return arrow::Status::OK();
    return reader_->ReadRecordBatch(static_cast<int>((*next_)++)).Value(batch);
  }

 private:
  const std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  const std::shared_ptr<std::atomic<int64_t>> next_;
};

// The first bytes of a file, which is then read from its start.
arrow::Result<std::string> StartOf(const Source& source, int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(const auto start, source.file->ReadAt(0, bytes));
  ARROW_RETURN_NOT_OK(source.file->Seek(0));
  return start->ToString();
}

// Arrow has a file and a stream format; which one a file holds shows in its first bytes.
arrow::Result<bool> IsArrowFile(const Source& source) {
  constexpr std::string_view kMagic = "ARROW1";
  if (source.file == nullptr) return false;
  ARROW_ASSIGN_OR_RAISE(const std::string start, StartOf(source, kMagic.size()));
  return start == kMagic;
}

arrow::Result<BatchFile> OpenArrow(const std::string& path, const Source& source) {
  ARROW_ASSIGN_OR_RAISE(const bool is_file, IsArrowFile(source));
  if (!is_file) {
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(source.stream));
    return MakeBatchFile(path, std::move(reader), source);
  }
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(source.file));
  const int batches = reader->num_record_batches();
  auto next = std::make_shared<std::atomic<int64_t>>(0);
  auto batches_of_file = std::make_shared<ArrowFileBatches>(std::move(reader), next);
  BatchFile file = MakeBatchFile(path, std::move(batches_of_file), source);
  file.fraction = [next, batches]() -> std::optional<double> {
    if (batches <= 0) return std::nullopt;
    return static_cast<double>(*next) / batches;
  };
  return file;
}

// The text of a stream, decompressed, and the codec that this needs.
struct Decompressed {
  std::shared_ptr<arrow::io::InputStream> stream;
  std::shared_ptr<arrow::util::Codec> codec;
};

arrow::Result<Decompressed> Decompress(const Source& source, FileCompression compression) {
  if (compression == FileCompression::kNone) {
    return Decompressed{std::make_shared<TextBlocks>(source.stream), nullptr};
  }
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::util::Codec> codec,
      arrow::util::Codec::Create(compression == FileCompression::kGzip ? arrow::Compression::GZIP
                                                                       : arrow::Compression::ZSTD));
  ARROW_ASSIGN_OR_RAISE(auto stream,
                        arrow::io::CompressedInputStream::Make(codec.get(), source.stream));
  return Decompressed{std::make_shared<TextBlocks>(std::move(stream)), std::move(codec)};
}

arrow::Result<BatchFile> OpenCsv(const std::string& path, const Source& source,
                                 const FileType& type, const ReadFileOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto input, Decompress(source, type.compression));
  auto read = arrow::csv::ReadOptions::Defaults();
  read.block_size = kFirstTextBlockBytes;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = type.format == FileFormat::kTsv ? '\t' : ',';
  parse.newlines_in_values = true;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.null_values = options.null_texts;
  convert.null_values.emplace_back();
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  if (options.expected != nullptr) {
    for (const auto& field : options.expected->fields()) {
      convert.column_types[field->name()] = field->type();
    }
  }
  ARROW_ASSIGN_OR_RAISE(
      auto reader, arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), input.stream,
                                                     read, parse, convert));
  return MakeBatchFile(path, std::move(reader), source, std::move(input.codec));
}

// Fails for a file that holds one JSON array, which is often called .json too.
arrow::Status CheckJsonLines(const std::string& path, const Source& source, const FileType& type) {
  if (source.file == nullptr || type.compression != FileCompression::kNone) {
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const std::string text, StartOf(source, 4096));
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '[') return arrow::Status::OK();
  return Error(ErrorKind::kInvalidArgument,
               "{} holds a JSON array, but JSON lines are read, one object a line: "
               "jq -c '.[]' makes them",
               NameOf(path));
}

arrow::Result<BatchFile> OpenJsonLines(const std::string& path, const Source& source,
                                       const FileType& type, const ReadFileOptions& options) {
  ARROW_RETURN_NOT_OK(CheckJsonLines(path, source, type));
  ARROW_ASSIGN_OR_RAISE(auto input, Decompress(source, type.compression));
  auto read = arrow::json::ReadOptions::Defaults();
  read.block_size = kFirstTextBlockBytes;
  auto parse = arrow::json::ParseOptions::Defaults();
  parse.explicit_schema = options.expected;
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::json::StreamingReader::Make(input.stream, read, parse));
  return MakeBatchFile(path, std::move(reader), source, std::move(input.codec));
}

arrow::Result<FileType> TypeOf(const std::string& path, const ReadFileOptions& options) {
  if (path == kStandardStream && options.format.empty()) {
    return FileType{FileFormat::kArrowStream, FileCompression::kNone};
  }
  return ResolveType(path, options.format);
}

arrow::Result<BatchFile> OpenAs(const std::string& path, const FileType& type,
                                const ReadFileOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Source source, OpenSource(path));
  switch (type.format) {
    case FileFormat::kParquet:
      return OpenParquet(path, source);
    case FileFormat::kArrowFile:
    case FileFormat::kArrowStream:
      return OpenArrow(path, source);
    case FileFormat::kCsv:
    case FileFormat::kTsv:
      return OpenCsv(path, source, type, options);
    case FileFormat::kJsonLines:
      return OpenJsonLines(path, source, type, options);
  }
  return MakeError(ErrorKind::kInternal, "an unknown file format");
}

std::string Described(const arrow::Field& field) {
  return field.type()->ToString() + (field.nullable() ? "" : " not null");
}

arrow::Status CheckSameSchema(const std::string& first_path, const arrow::Schema& first,
                              const std::string& path, const arrow::Schema& schema) {
  const auto differs = [&](const std::string& how) {
    return Error(ErrorKind::kInvalidArgument, "{} does not have the columns of {}: {}",
                 NameOf(path), NameOf(first_path), how);
  };
  for (int i = 0; i < std::min(first.num_fields(), schema.num_fields()); ++i) {
    const arrow::Field& wanted = *first.field(i);
    const arrow::Field& found = *schema.field(i);
    if (wanted.name() != found.name()) {
      return differs(std::format("column {} is {} rather than {}", i + 1, Quoted(found.name()),
                                 Quoted(wanted.name())));
    }
    if (!wanted.Equals(found, /*check_metadata=*/false)) {
      return differs(std::format("column {} is {} rather than {}", Quoted(found.name()),
                                 Described(found), Described(wanted)));
    }
  }
  if (first.num_fields() == schema.num_fields()) return arrow::Status::OK();
  const bool lacks = schema.num_fields() < first.num_fields();
  const arrow::Field& odd =
      lacks ? *first.field(schema.num_fields()) : *schema.field(first.num_fields());
  return differs(std::format("it {} column {}", lacks ? "lacks" : "also has", Quoted(odd.name())));
}

// Opens each file when the one before it is at its end.
class Concatenated final : public arrow::RecordBatchReader {
 public:
  Concatenated(BatchFile first, std::vector<std::string> paths, ReadFileOptions options)
      : schema_(first.batches->schema()),
        paths_(std::move(paths)),
        options_(std::move(options)),
        current_(std::move(first)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    while (true) {
      ARROW_RETURN_NOT_OK(current_.batches->ReadNext(batch));
      if (*batch != nullptr || index_ + 1 == paths_.size()) break;
      ++index_;
      ARROW_ASSIGN_OR_RAISE(current_, OpenBatchFile(paths_[index_], options_));
      ARROW_RETURN_NOT_OK(
          CheckSameSchema(paths_[0], *schema_, paths_[index_], *current_.batches->schema()));
    }
    // The files' metadata may differ, and only the first one's is kept.
    if (*batch != nullptr && index_ > 0)
      *batch = (*batch)->ReplaceSchemaMetadata(schema_->metadata());
    return arrow::Status::OK();
  }

  // Files count alike, whatever their sizes.
  std::optional<double> fraction() const {
    const auto of_current = current_.fraction();
    if (!of_current) return std::nullopt;
    return (static_cast<double>(index_) + *of_current) / static_cast<double>(paths_.size());
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<std::string> paths_;
  const ReadFileOptions options_;
  BatchFile current_;
  size_t index_ = 0;
};

}  // namespace

arrow::Result<BatchFile> OpenBatchFile(const std::string& path, const ReadFileOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const FileType type, TypeOf(path, options));
  try {
    auto file = OpenAs(path, type, options);
    if (!file.ok()) return Unreadable(path, file.status());
    return file;
  } catch (const parquet::ParquetException& error) {
    return Unreadable(path, arrow::Status::Invalid(error.what()));
  }
}

arrow::Result<BatchFile> OpenBatchFiles(const std::vector<std::string>& paths,
                                        const ReadFileOptions& options) {
  if (paths.size() > 1 && std::ranges::count(paths, kStandardStream) > 0) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "standard input (-) cannot be joined with other files");
  }
  ARROW_ASSIGN_OR_RAISE(BatchFile first, OpenBatchFile(paths[0], options));
  if (paths.size() == 1) return first;
  ReadFileOptions typed = options;
  typed.expected = first.batches->schema();
  for (size_t i = 1; i < paths.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const BatchFile file, OpenBatchFile(paths[i], typed));
    ARROW_RETURN_NOT_OK(
        CheckSameSchema(paths[0], *typed.expected, paths[i], *file.batches->schema()));
  }
  auto all = std::make_shared<Concatenated>(std::move(first), paths, std::move(typed));
  return BatchFile{all, [all] { return all->fraction(); }};
}

}  // namespace hangar::cli
