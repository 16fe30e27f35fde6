#include "sync/sync_plan.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace hangar::sync {
namespace {

constexpr char kChanged[] = "changed in the target since the last sync";
constexpr char kUnknown[] = "is in the target already, is another, and no sync has put it there";
constexpr char kUnknownLeft[] = "is in the target only, and no sync has put it there";

// One side of one path.
struct Side {
  int64_t bytes = 0;
  bool unchanged = false;  // Since the last sync; false where there was none.
};

struct Sides {
  std::optional<Side> local;
  std::optional<Side> remote;
  std::string version;
  bool synced = false;
};

Sides SidesOf(const std::string& path, const LocalFiles& local, const RemoteFiles& remote,
              const SyncedFiles& synced) {
  Sides sides;
  const auto known = synced.find(path);
  sides.synced = known != synced.end();
  if (const auto found = local.find(path); found != local.end()) {
    sides.local = Side{found->second.bytes, sides.synced && found->second == known->second.local};
  }
  if (const auto found = remote.find(path); found != remote.end()) {
    sides.version = found->second.version;
    sides.remote =
        Side{found->second.bytes, sides.synced && sides.version == known->second.version};
  }
  return sides;
}

// nullopt where there is nothing to do.
std::optional<SyncAction> PlanCopy(const SyncOptions& options, const Side& source,
                                   const std::optional<Side>& target, bool synced) {
  if (!target) return SyncAction{.step = SyncStep::kCopy, .bytes = source.bytes};
  if (source.unchanged && target->unchanged) return std::nullopt;
  if (target->unchanged) return SyncAction{.step = SyncStep::kCopy, .bytes = source.bytes};
  if (source.bytes == target->bytes) {
    return SyncAction{.step = SyncStep::kCompare, .bytes = source.bytes};
  }
  if (options.force) return SyncAction{.step = SyncStep::kCopy, .bytes = source.bytes};
  return SyncAction{.step = SyncStep::kConflict, .reason = synced ? kChanged : kUnknown};
}

SyncAction PlanRemoval(const SyncOptions& options, const Side& target, bool synced) {
  if (target.unchanged || options.force) return {.step = SyncStep::kRemove};
  return {.step = SyncStep::kConflict, .reason = synced ? kChanged : kUnknownLeft};
}

}  // namespace

SyncPlan PlanSync(const SyncOptions& options, const LocalFiles& local, const RemoteFiles& remote,
                  const SyncedFiles& synced) {
  SyncPlan plan;
  std::vector<SyncAction> removals;
  const auto add = [&](const std::string& path) {
    const Sides sides = SidesOf(path, local, remote, synced);
    const bool up = options.direction == SyncDirection::kUp;
    const std::optional<Side>& source = up ? sides.local : sides.remote;
    const std::optional<Side>& target = up ? sides.remote : sides.local;
    std::optional<SyncAction> action;
    if (source) {
      action = PlanCopy(options, *source, target, sides.synced);
      if (!action) ++plan.unchanged;
    } else if (options.remove) {
      action = PlanRemoval(options, *target, sides.synced);
    } else {
      ++plan.target_only;
    }
    if (!action) return;
    action->path = path;
    action->version = sides.version;
    (action->step == SyncStep::kRemove ? removals : plan.actions).push_back(*std::move(action));
  };
  // Both are sorted: each path once, in order.
  auto file = local.begin();
  auto dataset = remote.begin();
  while (file != local.end() || dataset != remote.end()) {
    const bool take_file =
        dataset == remote.end() || (file != local.end() && file->first <= dataset->first);
    const bool take_dataset =
        file == local.end() || (dataset != remote.end() && dataset->first <= file->first);
    add(take_file ? file->first : dataset->first);
    if (take_file) ++file;
    if (take_dataset) ++dataset;
  }
  std::ranges::move(removals, std::back_inserter(plan.actions));
  return plan;
}

}  // namespace hangar::sync
