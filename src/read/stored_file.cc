#include "read/stored_file.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "decode/arrow_column_decoder.h"
#include "decode/column_decoder.h"
#include "decode/flat_column_decoder.h"
#include "decode/nested_column_decoder.h"
#include "read/column_chunk_pages.h"
#include "read/fetch_ahead.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

// What Parquet's own reader reads a file through, so that it gets its pages, too, from OpenPages.
class RowGroupContents final : public parquet::RowGroupReader::Contents {
 public:
  using OpenPages = std::function<std::unique_ptr<parquet::PageReader>(const LeafColumn& leaf)>;

  RowGroupContents(std::unique_ptr<parquet::RowGroupMetaData> metadata,
                   const parquet::ReaderProperties& properties, OpenPages open_pages)
      : metadata_(std::move(metadata)),
        properties_(properties),
        open_pages_(std::move(open_pages)) {}

  const parquet::RowGroupMetaData* metadata() const override { return metadata_.get(); }
  const parquet::ReaderProperties* properties() const override { return &properties_; }
  std::unique_ptr<parquet::PageReader> GetColumnPageReader(int leaf) override {
    const auto chunk = metadata_->ColumnChunk(leaf);
    return open_pages_({.column = metadata_->schema()->Column(leaf), .chunk = chunk.get()});
  }

 private:
  const std::unique_ptr<parquet::RowGroupMetaData> metadata_;
  const parquet::ReaderProperties properties_;
  const OpenPages open_pages_;
};

class FileContents final : public parquet::ParquetFileReader::Contents {
 public:
  FileContents(std::shared_ptr<parquet::FileMetaData> metadata,
               const parquet::ReaderProperties& properties, RowGroupContents::OpenPages open_pages)
      : metadata_(std::move(metadata)),
        properties_(properties),
        open_pages_(std::move(open_pages)) {}

  void Close() override {}
  std::shared_ptr<parquet::FileMetaData> metadata() const override { return metadata_; }
  std::shared_ptr<parquet::RowGroupReader> GetRowGroup(int row_group) override {
    return std::make_shared<parquet::RowGroupReader>(std::make_unique<RowGroupContents>(
        metadata_->RowGroup(row_group), properties_, open_pages_));
  }
  // Of these nothing is used.
  std::shared_ptr<parquet::PageIndexReader> GetPageIndexReader() override { return nullptr; }
  parquet::BloomFilterReader& GetBloomFilterReader() override {
    throw parquet::ParquetException("Bloom filters are not read");
  }

 private:
  const std::shared_ptr<parquet::FileMetaData> metadata_;
  const parquet::ReaderProperties properties_;
  const RowGroupContents::OpenPages open_pages_;
};

}  // namespace

bool SaysDamage(const arrow::Status& status) {
  // What Parquet's and our decoders say has no kind of ours.
  return !status.ok() && !HasErrorKind(status) && KindOf(status) == ErrorKind::kInternal;
}

std::array<uint64_t, 2> HashOfVersion(const std::string& version) {
  const XXH128_hash_t hash = XXH3_128bits(version.data(), version.size());
  return {hash.low64, hash.high64};
}

StoredFile::StoredFile(OpenSnapshot snapshot, std::shared_ptr<const FileLayout> layout,
                       arrow::MemoryPool* pool, std::shared_ptr<FetchAhead> ahead)
    : snapshot_(std::move(snapshot)),
      layout_(std::move(layout)),
      pool_(pool),
      ahead_(std::move(ahead)),
      version_(HashOfVersion(snapshot_.snapshot.object.version)) {}

StoredFile::~StoredFile() = default;

std::shared_ptr<StoredFile> StoredFile::Make(OpenSnapshot snapshot,
                                             std::shared_ptr<const FileLayout> layout,
                                             arrow::MemoryPool* pool,
                                             std::shared_ptr<FetchAhead> ahead) {
  return std::shared_ptr<StoredFile>(
      new StoredFile(std::move(snapshot), std::move(layout), pool, std::move(ahead)));
}

void StoredFile::PassSlices(size_t slice) {
  if (ahead_ != nullptr) ahead_->Pass(slice);
}

void StoredFile::StopFetching() {
  if (ahead_ != nullptr) ahead_->Stop();
}

int64_t StoredFile::RowsOf(int row_group) const {
  return footer().metadata->RowGroup(row_group)->num_rows();
}

arrow::Result<std::unique_ptr<ColumnDecoder>> StoredFile::OpenColumnChunk(int row_group,
                                                                          int field) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_ASSIGN_OR_RAISE(auto decoder, OpenWithoutArrow(row_group, field));
  if (decoder != nullptr) return decoder;
  return OpenWithArrow(row_group, field);
  END_PARQUET_CATCH_EXCEPTIONS
}

arrow::Result<std::unique_ptr<ColumnDecoder>> StoredFile::OpenWithoutArrow(int row_group,
                                                                           int field) {
  const parquet::FileMetaData& metadata = *footer().metadata;
  const auto row_group_metadata = metadata.RowGroup(row_group);
  std::vector<std::unique_ptr<parquet::ColumnChunkMetaData>> chunks;
  std::vector<LeafColumn> leaves;
  for (const int leaf : layout().leaves_of_fields[static_cast<size_t>(field)]) {
    chunks.push_back(row_group_metadata->ColumnChunk(leaf));
    leaves.push_back({.column = metadata.schema()->Column(leaf), .chunk = chunks.back().get()});
  }
  const auto& type = footer().read_schema->field(field)->type();
  const int64_t rows = row_group_metadata->num_rows();
  if (leaves.size() == 1 && CanDecodeFlat(*leaves[0].column, *leaves[0].chunk, *type)) {
    return MakeFlatColumnDecoder(OpenPages(leaves[0]), *leaves[0].column, *leaves[0].chunk, type,
                                 rows, pool_);
  }
  const parquet::schema::Node& node = *metadata.schema()->group_node()->field(field);
  if (!CanDecodeNested(node, leaves, type)) return nullptr;
  std::vector<std::unique_ptr<parquet::PageReader>> pages;
  for (const LeafColumn& leaf : leaves) pages.push_back(OpenPages(leaf));
  return MakeNestedColumnDecoder(std::move(pages), node, leaves, type, rows, pool_);
}

bool StoredFile::DiscardColumnChunk(int row_group, int field) {
  if (!snapshot_.reader->DiscardReadBytes()) return false;
  if (ahead_ == nullptr) return true;
  const parquet::FileMetaData& metadata = *footer().metadata;
  const auto row_group_metadata = metadata.RowGroup(row_group);
  for (const int leaf : layout().leaves_of_fields[static_cast<size_t>(field)]) {
    ahead_->Discard(RunOf(metadata, *row_group_metadata->ColumnChunk(leaf),
                          snapshot_.reader->info().size_bytes));
  }
  return true;
}

std::unique_ptr<parquet::PageReader> StoredFile::OpenPages(const LeafColumn& leaf) const {
  const parquet::FileMetaData& metadata = *footer().metadata;
  auto reader = snapshot_.reader;
  if (ahead_ != nullptr) {
    reader = ahead_->OfRun(RunOf(metadata, *leaf.chunk, reader->info().size_bytes));
  }
  return OpenColumnChunkPages(std::move(reader), metadata, *leaf.chunk, *leaf.column, pool_);
}

arrow::Result<std::unique_ptr<ColumnDecoder>> StoredFile::OpenWithArrow(int row_group, int field) {
  MutexLock lock(opening_);
  if (arrow_reader_ == nullptr) {
    parquet::ArrowReaderProperties arrow_properties = StoredFileReaderProperties();
    // Reading ahead into memory that lives as long as the reader would hold a whole scan.
    arrow_properties.set_pre_buffer(false);
    arrow_properties.set_batch_size(layout().segment_rows);
    auto file = std::make_unique<parquet::ParquetFileReader>();
    file->Open(
        std::make_unique<FileContents>(footer().metadata, StoredFileProperties(pool_),
                                       [this](const LeafColumn& leaf) { return OpenPages(leaf); }));
    ARROW_ASSIGN_OR_RAISE(
        arrow_reader_, parquet::arrow::FileReader::Make(pool_, std::move(file), arrow_properties));
  }
  ARROW_ASSIGN_OR_RAISE(auto batches,
                        arrow_reader_->GetRecordBatchReader(
                            {row_group}, layout().leaves_of_fields[static_cast<size_t>(field)]));
  return MakeArrowColumnDecoder(shared_from_this(), std::move(batches));
}

}  // namespace hangar
