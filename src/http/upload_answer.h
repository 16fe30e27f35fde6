#pragma once

#include <memory>

#include "http/http_message.h"
#include "service/upload.h"

namespace hangar {

/// What is kept while an upload comes in, for its answer.
struct UploadAnswer {
  bool is_new = false;          ///< There was no dataset of the name.
  std::shared_ptr<void> place;  ///< See TakeStreamPlace.

  /// 201 or 200 with what was stored as JSON, ETag and Location.
  HttpResponse Make(const UploadResult& result) const;
};

}  // namespace hangar
