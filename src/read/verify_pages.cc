#include "read/verify_pages.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

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
#include "read/fetch_ahead.h"
#include "read/stored_file.h"

namespace hangar {
namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr int kRowGroupsAtOnce = 16;

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
      : reader_(std::move(reader)), metadata_(footer.metadata), file_(*metadata_) {}
  ~Verification() {
    if (ahead_ != nullptr) ahead_->Stop();
  }

  // Row group after row group, each in the order of its columns.
  void FetchAheadBy(RangeFetcher* fetcher) {
    FetchPlan plan{.sections = static_cast<size_t>(file_.num_row_groups()), .units_of = {}};
    plan.units_of = [metadata = metadata_, size = reader_->info().size_bytes](size_t section) {
      std::vector<FetchUnit> units;
      const auto row_group = metadata->RowGroup(static_cast<int>(section));
      for (int leaf = 0; row_group->num_rows() > 0 && leaf < row_group->num_columns(); ++leaf) {
        const ByteRun run = RunOf(*metadata, *row_group->ColumnChunk(leaf), size);
        std::ranges::copy(UnitsOf(run, run.begin, run.end), std::back_inserter(units));
      }
      return units;
    };
    ahead_ =
        FetchAhead::Start({.reader = reader_, .version = HashOfVersion(reader_->info().version)},
                          std::move(plan), fetcher);
  }

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
      auto reader = reader_;
      if (ahead_ != nullptr) {
        // Others may still be at a few row groups before this one.
        ahead_->Pass(static_cast<size_t>(std::max(row_group - kRowGroupsAtOnce, 0)));
        reader = ahead_->OfRun(RunOf(file_, *chunk, reader_->info().size_bytes));
      }
      const auto pages = OpenColumnChunkPages(std::move(reader), file_, *chunk, column,
                                              arrow::default_memory_pool());
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
  const std::shared_ptr<const parquet::FileMetaData> metadata_;
  const parquet::FileMetaData& file_;
  std::shared_ptr<FetchAhead> ahead_;  // nullptr: none.
  std::atomic<bool> has_failed_ = false;
  Mutex mutex_;
  arrow::Status first_error_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace

arrow::Status VerifyPages(std::shared_ptr<ObjectReader> reader, const Footer& footer,
                          WorkerPool* workers, RangeFetcher* fetcher) {
  // Without a version it is in memory.
  const bool fetches = fetcher != nullptr && !reader->info().version.empty();
  Verification verification(std::move(reader), footer);
  ARROW_RETURN_NOT_OK(verification.CheckMagic());
  if (fetches) verification.FetchAheadBy(fetcher);
  ForEachIndex(workers, verification.chunks(),
               [&](size_t number) { verification.CheckChunk(number); });
  return verification.first_error();
}

}  // namespace hangar
