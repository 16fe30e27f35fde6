#include "read/fetch_plan.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <parquet/metadata.h>

#include "read/column_chunk_pages.h"

namespace hangar {
namespace {

// A turn of one column chunk, at most. What is left of a chunk goes with its last turn when it is
// less than half of one.
constexpr int64_t kTurnBytesMax = 4 << 20;
// Where rows end within a chunk is guessed from its size: so much more is fetched.
constexpr int64_t kRowsEndSlackBytes = 64 << 10;

struct Turn {
  double place = 0;  // In its chunk, from 0 to 1.
  std::vector<FetchUnit> units;
};

// All of a slice that is asked for is in the cache, as far as its ends tell.
bool IsDecoded(const FileLayout& layout, const RowGroupSlice& slice, const ColumnChunkKey& key,
               SegmentCache& decoded) {
  const int64_t first = slice.first_row / layout.segment_rows;
  const int64_t last = (slice.first_row + slice.rows - 1) / layout.segment_rows;
  return decoded.FindAgain({.chunk = key, .segment = last}) != nullptr &&
         decoded.FindAgain({.chunk = key, .segment = first}) != nullptr;
}

// Where the segment ends that the slice ends in: it is decoded whole.
int64_t EndOfSegment(const FileLayout& layout, const RowGroupSlice& slice, int64_t all_rows) {
  const int64_t segments = (slice.first_row + slice.rows - 1) / layout.segment_rows + 1;
  if (segments > all_rows / layout.segment_rows) return all_rows;
  return segments * layout.segment_rows;
}

// Where the bytes of the first `rows` of a chunk end, about.
int64_t EndOfRows(const ByteRun& run, const parquet::ColumnChunkMetaData& chunk, int64_t rows,
                  int64_t all_rows) {
  if (rows >= all_rows) return run.end;
  const int64_t data = std::clamp(chunk.data_page_offset(), run.begin, run.end);
  const double part = static_cast<double>(rows) / static_cast<double>(all_rows);
  const auto bytes = static_cast<int64_t>(static_cast<double>(run.end - data) * part);
  return std::min(run.end, data + bytes + kRowsEndSlackBytes);
}

void AddTurns(std::vector<FetchUnit> units, int64_t turn_bytes, std::vector<Turn>* turns) {
  const auto all = static_cast<double>(units.size());
  const auto turn_units = static_cast<size_t>(turn_bytes / kFetchUnitBytes);
  for (size_t i = 0; i < units.size();) {
    const size_t left = units.size() - i;
    const size_t count = left <= turn_units + turn_units / 2 ? left : turn_units;
    const auto begin = units.begin() + static_cast<std::ptrdiff_t>(i);
    turns->push_back({.place = static_cast<double>(i) / all,
                      .units = {begin, begin + static_cast<std::ptrdiff_t>(count)}});
    i += count;
  }
}

}  // namespace

int64_t FetchBytesMin(const Footer& footer, const FileLayout& layout, const ScanPlan& plan) {
  if (plan.slices.empty()) return 0;
  const auto row_group = footer.metadata->RowGroup(plan.slices[0].row_group);
  int64_t bytes = 0;
  for (const int field : plan.fields) {
    for (const int leaf : layout.leaves_of_fields[static_cast<size_t>(field)]) {
      bytes += std::clamp<int64_t>(row_group->ColumnChunk(leaf)->total_compressed_size(), 0,
                                   kFetchUnitBytes);
    }
  }
  return bytes;
}

FetchPlan PlanFetch(std::shared_ptr<const Footer> footer, std::shared_ptr<const FileLayout> layout,
                    const ScanPlan& plan, const FetchPlanOptions& options, SegmentCache* decoded) {
  FetchPlan fetch{.sections = plan.slices.size(),
                  .units_of = {},
                  .bytes_min = FetchBytesMin(*footer, *layout, plan)};
  fetch.units_of = [footer = std::move(footer), layout = std::move(layout), fields = plan.fields,
                    slices = plan.slices, options, decoded](size_t section) {
    const RowGroupSlice& slice = slices[section];
    const auto row_group = footer->metadata->RowGroup(slice.row_group);
    const int64_t rows = EndOfSegment(*layout, slice, row_group->num_rows());
    std::vector<std::vector<FetchUnit>> chunks;
    for (const int field : fields) {
      const ColumnChunkKey key{
          .version = options.version, .row_group = slice.row_group, .field = field};
      if (IsDecoded(*layout, slice, key, *decoded)) continue;
      for (const int leaf : layout->leaves_of_fields[static_cast<size_t>(field)]) {
        const auto chunk = row_group->ColumnChunk(leaf);
        const ByteRun run = RunOf(*footer->metadata, *chunk, options.file_bytes);
        const int64_t end = EndOfRows(run, *chunk, rows, row_group->num_rows());
        chunks.push_back(UnitsOf(run, run.begin, end));
      }
    }
    const auto count = std::max<int64_t>(std::ssize(chunks), 1);
    const int64_t turn_bytes =
        std::clamp(options.share_bytes / 2 / count, kFetchUnitBytes, kTurnBytesMax);
    std::vector<Turn> turns;
    for (auto& units : chunks) AddTurns(std::move(units), turn_bytes, &turns);
    std::ranges::sort(turns, {}, [](const Turn& turn) {
      return std::pair(turn.place, turn.units.front().offset);
    });
    std::vector<FetchUnit> units;
    for (const Turn& turn : turns) std::ranges::copy(turn.units, std::back_inserter(units));
    return units;
  };
  return fetch;
}

}  // namespace hangar
