#pragma once

#include "app/memory_plan.h"
#include "config/options.h"
#include "flight/flight_door.h"
#include "history/retention.h"
#include "http/http_door.h"
#include "peers/peer_watch.h"
#include "service/dataset_service.h"

namespace hangar {

// What the settings mean to each component. What components share is left for whoever wires them.

/// What is kept of the past, where the data folder is.
RetentionPolicy RetentionOf(const ServeOptions& options);

DatasetService::Options ServiceOptionsOf(const ServeOptions& options, const MemoryPlan& memory);

CallLimits::Options CallLimitsOf(const Limits& limits);

FlightDoorOptions FlightOptionsOf(const ServeOptions& options, const MemoryPlan& memory);

/// Where there are peers.
PeerWatchOptions PeerWatchOptionsOf(const ServeOptions& options);

HttpDoorOptions HttpOptionsOf(const ServeOptions& options);

/// Of the address for metrics and health alone.
HttpDoorOptions OperationsOptionsOf(const ServeOptions& options);

}  // namespace hangar
