#include "http/upload_answer.h"

#include <nlohmann/json.hpp>

#include "http/preconditions.h"
#include "http/target.h"

namespace hangar {

HttpResponse UploadAnswer::Make(const UploadResult& result) const {
  nlohmann::ordered_json text = {{"dataset", result.dataset},
                                 {"version", result.version},
                                 {"rows", result.rows},
                                 {"bytes", result.bytes}};
  if (result.repeated) text["repeated"] = true;
  HttpResponse response{.status = is_new && !result.repeated ? 201 : 200};
  response.text = text.dump() + "\n";
  response.Add("Content-Type", "application/json");
  response.Add("ETag", StrongTag(result.version));
  response.Add("Location", DatasetPath(result.dataset));
  return response;
}

}  // namespace hangar
