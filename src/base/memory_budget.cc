#include "base/memory_budget.h"

#include <algorithm>

namespace hangar {
namespace {

// Of the capacity: at least so much is reclaimed at once, so that a full budget does not ask for
// room with each small allocation.
constexpr int64_t kReclaimedPart = 256;

}  // namespace

void MemoryBudget::SetReclaimer(Reclaimer reclaimer) {
  MutexLock lock(reclaimer_mutex_);
  reclaimer_.swap(reclaimer);
  while (reclaiming_ > 0) reclaimer_idle_.Wait(reclaimer_mutex_);
}

bool MemoryBudget::TakeAfterReclaiming(int64_t bytes) {
  if (bytes > capacity_bytes()) return false;
  // Others may take what was freed, so this goes on until it fits or nothing is left to free.
  while (Reclaim(std::max(bytes, capacity_bytes() / kReclaimedPart)) > 0) {
    if (TakeIfItFits(bytes)) return true;
  }
  return TakeIfItFits(bytes);
}

int64_t MemoryBudget::Reclaim(int64_t bytes) {
  Reclaimer reclaimer;
  {
    MutexLock lock(reclaimer_mutex_);
    if (!reclaimer_) return 0;
    reclaimer = reclaimer_;
    ++reclaiming_;
  }
  const int64_t reclaimed_bytes = reclaimer(bytes);
  MutexLock lock(reclaimer_mutex_);
  if (--reclaiming_ == 0) reclaimer_idle_.NotifyAll();
  return reclaimed_bytes;
}

}  // namespace hangar
