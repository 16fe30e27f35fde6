#include "service/committed_uploads.h"

#include <functional>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kIdBytesMax = 128;

}  // namespace

arrow::Status CommittedUploads::CheckId(const std::string& id) {
  if (!id.empty() && id.size() <= kIdBytesMax && IsValidUtf8(id)) return arrow::Status::OK();
  return Error(ErrorKind::kInvalidArgument, "upload_id must have 1 to {} bytes of UTF-8",
               kIdBytesMax);
}

arrow::Result<std::optional<Snapshot>> CommittedUploads::Find(const DatasetName& name,
                                                              const std::string& id) {
  ARROW_ASSIGN_OR_RAISE(auto versions, catalog_->Versions(name));
  for (Snapshot& version : versions) {
    if (version.footer->upload_id == id) return std::move(version);
  }
  return std::nullopt;
}

Mutex& CommittedUploads::MutexOf(const DatasetName& name, const std::string& id) {
  return mutexes_[std::hash<std::string>()(name.value() + "/" + id) % kStripes];
}

}  // namespace hangar
