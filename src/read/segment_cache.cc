#include "read/segment_cache.h"

#include <algorithm>
#include <utility>

#include "read/column_chunk_pass.h"
#include "read/stored_file.h"

namespace hangar {
namespace {

constexpr int64_t kLayoutsBytes = 16LL << 20;
// What a layout takes for each Parquet column, and in all, about.
constexpr int64_t kLayoutColumnBytes = 64;
constexpr int64_t kLayoutOverheadBytes = 512;
constexpr size_t kPassesRememberedMin = 1024;

}  // namespace

SegmentCache::SegmentCache(const Options& options)
    : segment_bytes_(options.segment_bytes),
      segments_(options.capacity_bytes),
      layouts_(kLayoutsBytes),
      forget_at_(kPassesRememberedMin) {}

SegmentCache::~SegmentCache() = default;

std::shared_ptr<const ColumnSegment> SegmentCache::Find(const ColumnSegmentKey& key) {
  if (segments_.capacity_bytes() == 0) return nullptr;
  return segments_.Find(key);
}

std::shared_ptr<const ColumnSegment> SegmentCache::FindAgain(const ColumnSegmentKey& key) {
  if (segments_.capacity_bytes() == 0) return nullptr;
  return segments_.FindAgain(key);
}

void SegmentCache::Insert(const ColumnSegmentKey& key,
                          std::shared_ptr<const ColumnSegment> segment) {
  if (segments_.capacity_bytes() == 0) return;
  const int64_t bytes = segment->bytes;
  segments_.Insert(key, std::move(segment), bytes);
}

std::shared_ptr<ColumnChunkPass> SegmentCache::JoinPass(const std::shared_ptr<StoredFile>& file,
                                                        int row_group, int field,
                                                        const ColumnChunkPass* used_up) {
  // Without a cache two scans that share a pass would only wait for each other.
  if (segments_.capacity_bytes() == 0) {
    return std::make_shared<ColumnChunkPass>(file, row_group, field);
  }
  MutexLock lock(mutex_);
  std::weak_ptr<ColumnChunkPass>& known = passes_[file->KeyOf(row_group, field)];
  auto pass = known.lock();
  // The next scan tries again what failed: the fault may be gone.
  if (pass == nullptr || pass.get() == used_up || pass->failed()) {
    pass = std::make_shared<ColumnChunkPass>(file, row_group, field);
    known = pass;
  }
  if (passes_.size() >= forget_at_) ForgetEndedPasses();
  return pass;
}

void SegmentCache::ForgetEndedPasses() {
  std::erase_if(passes_, [](const auto& entry) { return entry.second.expired(); });
  forget_at_ = std::max(kPassesRememberedMin, 2 * passes_.size());
}

std::shared_ptr<const FileLayout> SegmentCache::LayoutOf(const std::string& version,
                                                         const Footer& footer) {
  if (auto layout = layouts_.Find(version)) return layout;
  auto layout = std::make_shared<const FileLayout>(MakeFileLayout(footer, segment_bytes_));
  int64_t charge_bytes = kLayoutOverheadBytes;
  for (const auto& leaves : layout->leaves_of_fields) {
    charge_bytes += kLayoutColumnBytes * static_cast<int64_t>(leaves.size() + 1);
  }
  layouts_.Insert(version, layout, charge_bytes);
  return layout;
}

}  // namespace hangar
