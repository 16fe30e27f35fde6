#include "read/verify_pages.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include <arrow/memory_pool.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "base/error.h"
#include "base/mutex.h"
#include "base/text.h"
#include "catalog/for_each_index.h"
#include "read/column_chunk_pages.h"

namespace hangar {
namespace {

constexpr std::string_view kMagic = "PAR1";

int64_t ValuesOf(const parquet::Page& page) {
  switch (page.type()) {
    case parquet::PageType::DATA_PAGE:
    case parquet::PageType::DATA_PAGE_V2:
      return static_cast<const parquet::DataPage&>(page).num_values();
    default:
      return 0;
  }
}

arrow::Status WrongColumn(const parquet::ColumnDescriptor& column, int row_group,
                          std::string_view what) {
  return Error(ErrorKind::kInvalidArgument, "column {} of row group {} {}",
               Quoted(column.path()->ToDotString()), row_group, what);
}

class Verification {
 public:
  Verification(std::shared_ptr<ObjectReader> reader, const Footer& footer)
      : reader_(std::move(reader)), file_(*footer.metadata) {}

  arrow::Status CheckMagic() {
    std::array<char, kMagic.size()> magic{};
    ARROW_RETURN_NOT_OK(reader_->ReadAt(0, magic.size(), magic.data()));
    if (std::string_view(magic.data(), magic.size()) == kMagic) return arrow::Status::OK();
    return MakeError(ErrorKind::kInvalidArgument, "it does not begin as a Parquet file does");
  }

  size_t chunks() const {
    return static_cast<size_t>(file_.num_row_groups()) * static_cast<size_t>(file_.num_columns());
  }

  // The first error is kept; after it nothing more is read.
  void CheckChunk(size_t number) HANGAR_EXCLUDES(mutex_) {
    if (has_failed_) return;
    const auto columns = static_cast<size_t>(file_.num_columns());
    auto status =
        CheckChunk(static_cast<int>(number / columns), static_cast<int>(number % columns));
    if (status.ok()) return;
    const MutexLock lock(mutex_);
    if (!has_failed_.exchange(true)) first_error_ = std::move(status);
  }

  arrow::Status first_error() HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return first_error_;
  }

 private:
  arrow::Status CheckChunk(int row_group, int leaf) {
    const auto metadata = file_.RowGroup(row_group);
    if (metadata->num_rows() == 0) return arrow::Status::OK();
    const auto chunk = metadata->ColumnChunk(leaf);
    const parquet::ColumnDescriptor& column = *file_.schema()->Column(leaf);
    int64_t values = 0;
    try {
      const auto pages =
          OpenColumnChunkPages(reader_, file_, *chunk, column, arrow::default_memory_pool());
      while (const auto page = pages->NextPage()) values += ValuesOf(*page);
    } catch (const std::bad_alloc&) {
      return MakeError(ErrorKind::kResourceExhausted,
                       "the server has no room to verify a file with pages of this size");
    } catch (const std::exception&) {
      return WrongColumn(column, row_group,
                         "has a page that is damaged, or of a kind that is not supported");
    }
    if (values == chunk->num_values()) return arrow::Status::OK();
    return WrongColumn(column, row_group, "has not as many values as the footer says");
  }

  const std::shared_ptr<ObjectReader> reader_;
  const parquet::FileMetaData& file_;
  std::atomic<bool> has_failed_ = false;
  Mutex mutex_;
  arrow::Status first_error_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace

arrow::Status VerifyPages(std::shared_ptr<ObjectReader> reader, const Footer& footer,
                          WorkerPool* workers) {
  Verification verification(std::move(reader), footer);
  ARROW_RETURN_NOT_OK(verification.CheckMagic());
  ForEachIndex(workers, verification.chunks(),
               [&](size_t number) { verification.CheckChunk(number); });
  return verification.first_error();
}

}  // namespace hangar
