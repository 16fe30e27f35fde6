#include "service/upload_conditions.h"

#include "base/error.h"
#include "base/text.h"
#include "history/history_keeper.h"

namespace hangar {

arrow::Result<Precondition> PreconditionOf(const UploadRequest& request) {
  if (request.mode == UploadMode::kCreate && request.if_version) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "mode 'create' wants nothing to be there, if_version wants a version to be "
                     "there: give one of the two");
  }
  if (request.mode == UploadMode::kCreate) return Precondition::Absent();
  if (request.if_version) return Precondition::Version(*request.if_version);
  return Precondition::None();
}

arrow::Status CheckEarly(ObjectStore& store, const DatasetName& name,
                         const Precondition& precondition) {
  if (precondition.kind == Precondition::Kind::kNone) return arrow::Status::OK();
  const auto object = store.Stat(name.value());
  if (!object.ok() && KindOf(object.status()) != ErrorKind::kNotFound) return object.status();
  if (precondition.kind == Precondition::Kind::kAbsent) {
    if (!object.ok()) return arrow::Status::OK();
    return Error(ErrorKind::kAlreadyExists, "{} exists already", Quoted(name.value()));
  }
  if (object.ok() && object->version == precondition.version) return arrow::Status::OK();
  return Error(ErrorKind::kFailedPrecondition, "{} is not at version {} any more",
               Quoted(name.value()), Quoted(precondition.version));
}

arrow::Status MakeRoomAfter(arrow::Status status, HistoryKeeper& keeper) {
  if (KindOf(status) != ErrorKind::kStorageFull) return status;
  const auto made = keeper.MakeRoom();
  if (!made.ok()) return status;
  if (made->purged.bytes > 0) {
    return Error(ErrorKind::kStorageFull,
                 "{}; {} bytes of past versions were removed to make room: try again",
                 status.message(), made->purged.bytes);
  }
  if (made->kept.bytes > 0) {
    return Error(ErrorKind::kStorageFull,
                 "{}; {} bytes of it are past versions that tickets may still name: they go once "
                 "these have expired, or with the action purge_versions",
                 status.message(), made->kept.bytes);
  }
  return status;
}

UploadResult ResultOf(const Snapshot& snapshot, bool repeated) {
  return {.dataset = snapshot.object.key,
          .version = snapshot.object.version,
          .rows = snapshot.footer->rows,
          .bytes = snapshot.object.size_bytes,
          .repeated = repeated};
}

}  // namespace hangar
