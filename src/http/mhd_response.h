#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <arrow/status.h>

#include "http/connection_watch.h"
#include "http/http_message.h"

struct MHD_Response;

namespace hangar {

/// Destroys a response of libmicrohttpd.
struct MhdResponseDeleter {
  void operator()(MHD_Response* response) const;
};
using MhdResponse = std::unique_ptr<MHD_Response, MhdResponseDeleter>;

/// What a body tells while it is sent, on the connection's thread.
struct BodyEvents {
  std::shared_ptr<ConnectionWatch::Connection> connection;
  std::function<void(const arrow::Status&)> on_error;  ///< The body breaks off.
  std::function<void(int64_t)> on_system_sends;        ///< So many bytes go past the service.
};

/// Turns an answer into libmicrohttpd's form; nullptr when there is no memory for it. Where the
/// bytes are in a file, the system sends them from there.
MhdResponse MakeMhdResponse(HttpResponse answer, bool is_head, BodyEvents events);

}  // namespace hangar
