#pragma once

#include "metrics/metrics.h"

namespace hangar {

/// Notes how long reads and uploads wait for memory; nothing where `metrics` is nullptr.
DurationHistogram MemoryWaits(Metrics* metrics);

}  // namespace hangar
