#include "store/local_store.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "store/local_error.h"
#include "store/local_file.h"
#include "store/local_history.h"
#include "store/local_layout.h"
#include "store/local_lister.h"
#include "store/local_root.h"
#include "store/local_staging.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

class LocalObjectStore final : public ObjectStore {
 public:
  explicit LocalObjectStore(std::shared_ptr<LocalRoot> root) : root_(std::move(root)) {}

  arrow::Result<ObjectInfo> Stat(const std::string& key) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    ARROW_ASSIGN_OR_RAISE(Occupant occupant, root_->Probe(key));
    if (occupant.object() == nullptr) return NotAnObject(key, occupant);
    return std::move(occupant.info);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    // Looking first keeps pipes and devices from being opened at all; O_NONBLOCK is for the one
    // that takes a file's place in between.
    ARROW_ASSIGN_OR_RAISE(const Occupant occupant, root_->Probe(key));
    if (occupant.object() == nullptr) return NotAnObject(key, occupant);
    auto file = OpenBeneath(root_->root(), key, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) return LocalError(file.error(), Attempt::kRead, Quoted(key));
    const auto state = StatDescriptor(file->get());
    if (!state) return LocalError(state.error(), Attempt::kRead, Quoted(key));
    if (!S_ISREG(state->stx_mode)) return NoSuchObject(key);
    return MakeLocalReader(std::move(*file), InfoOf(key, *state));
  }

  arrow::Result<std::unique_ptr<StagedObject>> Stage(const StageOptions& /*options*/) override {
    return StageLocal(root_);
  }

  arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) override {
    return MakeLocalLister(root_, options);
  }

  arrow::Status Delete(const std::string& key, const Precondition& precondition) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    ARROW_ASSIGN_OR_RAISE(const UniqueDescriptor folder, Unlink(key, precondition));
    if (const int error = SyncOnce(folder.get(), root_->syncs().folders)) {
      return LocalError(error, Attempt::kMakeDurable, "the deletion of " + Quoted(key));
    }
    root_->PruneFoldersOf(key);
    return arrow::Status::OK();
  }

  arrow::Result<ObjectInfo> Rename(const std::string& from, const std::string& to,
                                   const Precondition& from_precondition,
                                   const Precondition& to_precondition) override {
    ARROW_RETURN_NOT_OK(CheckKey(from));
    ARROW_RETURN_NOT_OK(CheckKey(to));
    ARROW_ASSIGN_OR_RAISE(Moved moved, Move(from, to, from_precondition, to_precondition));
    if (from == to) return std::move(moved.info);
    // The new name first: after a power loss between the two the object has both names, not none.
    const std::string subject = "the renaming of " + Quoted(from);
    ARROW_RETURN_NOT_OK(moved.to_folders.MakeDurable(subject));
    if (const int error = SyncOnce(moved.from_folder.get(), root_->syncs().folders)) {
      return LocalError(error, Attempt::kMakeDurable, subject);
    }
    root_->PruneFoldersOf(from);
    moved.info.key = to;
    return std::move(moved.info);
  }

  arrow::Result<std::vector<RetiredObject>> ListRetired(const std::string& key) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    return ListLocalRetired(*root_, key);
  }

  arrow::Result<std::unique_ptr<KeyLister>> ListRetiredKeys(const ListOptions& options) override {
    return MakeLocalRetiredLister(root_, options);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenRetired(const std::string& key,
                                                           const std::string& version) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    return OpenLocalRetired(*root_, key, version);
  }

  arrow::Status HoldRetired(const std::string& key, const std::string& version,
                            Timestamp until) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    ARROW_ASSIGN_OR_RAISE(const KeyLocks::Held held, root_->locks().Lock(key));
    return HoldLocalRetired(*root_, key, version, until);
  }

  arrow::Result<ObjectInfo> RestoreRetired(const std::string& key, const std::string& version,
                                           const Precondition& precondition) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    ARROW_ASSIGN_OR_RAISE(Moved moved, BringBack(key, version, precondition));
    const std::string subject = "the restoring of " + Quoted(key);
    ARROW_RETURN_NOT_OK(moved.to_folders.MakeDurable(subject));
    if (const int error = SyncOnce(moved.from_folder.get(), root_->syncs().folders)) {
      return LocalError(error, Attempt::kMakeDurable, subject);
    }
    return std::move(moved.info);
  }

  arrow::Status PurgeRetired(const RetiredObject& retired) override {
    ARROW_RETURN_NOT_OK(CheckKey(retired.object.key));
    return PurgeLocalRetired(*root_, retired);
  }

  arrow::Result<SweepReport> SweepStaging() override { return SweepLocalStaging(*root_); }

 private:
  /// A rename that is done but not yet durable.
  struct Moved {
    ObjectInfo info;
    UniqueDescriptor from_folder;
    FolderChain to_folders;
  };

  /// Returns the folder that the object was in.
  arrow::Result<UniqueDescriptor> Unlink(const std::string& key, const Precondition& precondition) {
    ARROW_ASSIGN_OR_RAISE(const KeyLocks::Held held, root_->locks().Lock(key));
    ARROW_ASSIGN_OR_RAISE(const Occupant occupant, root_->Probe(key));
    if (occupant.object() == nullptr) return NotAnObject(key, occupant);
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, occupant.object()));
    ARROW_ASSIGN_OR_RAISE(auto folder, root_->OpenFolderOf(key, Attempt::kDelete));
    if (!folder) return NoSuchObject(key);
    const std::string leaf(LeafOf(key));
    ARROW_ASSIGN_OR_RAISE(const bool moved, MoveToHistory(*root_, folder->get(), leaf, key));
    if (!moved && ::unlinkat(folder->get(), leaf.c_str(), 0) != 0) {
      if (errno == ENOENT) return NoSuchObject(key);
      return LocalError(errno, Attempt::kDelete, Quoted(key));
    }
    return std::move(*folder);
  }

  arrow::Result<Moved> BringBack(const std::string& key, const std::string& version,
                                 const Precondition& precondition) {
    ARROW_ASSIGN_OR_RAISE(const KeyLocks::Held held, root_->locks().Lock(key));
    ARROW_ASSIGN_OR_RAISE(const Occupant occupant, root_->Probe(key));
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, occupant.object()));
    Moved moved;
    if (occupant.object() != nullptr && occupant.info.version == version) {
      moved.info = occupant.info;
      ARROW_ASSIGN_OR_RAISE(auto folder, root_->OpenFolderOf(key, Attempt::kRead));
      if (!folder) return NoSuchObject(key);
      moved.from_folder = std::move(*folder);
      return moved;
    }
    ARROW_ASSIGN_OR_RAISE(const auto retired, ListLocalRetired(*root_, key));
    const RetiredObject* const entry = FindRetired(retired, version);
    if (entry == nullptr || entry->by == RetiredBy::kRenamed) return NotRetired(key, version);
    const std::string path = HistoryFolderOf(key) + "/" + entry->entry;
    ARROW_ASSIGN_OR_RAISE(auto history, root_->OpenFolderOf(path, Attempt::kRead));
    if (!history) return NotRetired(key, version);
    moved.from_folder = std::move(*history);
    moved.info = entry->object;
    ARROW_ASSIGN_OR_RAISE(auto replaced, RetiredLink::Make(*root_, key, RetiredBy::kReplaced));
    ARROW_ASSIGN_OR_RAISE(
        moved.to_folders,
        MoveToKey(moved.from_folder.get(), entry->entry, key, occupant,
                  precondition.kind == Precondition::Kind::kAbsent, Attempt::kPublish));
    replaced.Keep();
    root_->PruneFoldersOf(path);
    return moved;
  }

  // As LocalRoot::MoveTo, leaving no empty folders when it fails.
  arrow::Result<FolderChain> MoveToKey(int folder, const std::string& name, const std::string& key,
                                       const Occupant& occupant, bool only_if_absent,
                                       Attempt attempt) {
    auto folders = root_->MoveTo(folder, name, key, occupant, only_if_absent, attempt);
    if (!folders.ok()) root_->PruneFoldersOf(key);
    return folders;
  }

  arrow::Result<Moved> Move(const std::string& from, const std::string& to,
                            const Precondition& from_precondition,
                            const Precondition& to_precondition) {
    ARROW_ASSIGN_OR_RAISE(const KeyLocks::Held held, root_->locks().Lock(from, to));
    ARROW_ASSIGN_OR_RAISE(Occupant source, root_->Probe(from));
    if (source.object() == nullptr) return NotAnObject(from, source);
    ARROW_RETURN_NOT_OK(CheckPrecondition(from, from_precondition, source.object()));
    ARROW_ASSIGN_OR_RAISE(const Occupant target, root_->Probe(to));
    ARROW_RETURN_NOT_OK(CheckPrecondition(to, to_precondition, target.object()));
    Moved moved;
    moved.info = std::move(source.info);
    if (from == to) return moved;
    // rename(2) does nothing between two hard links of a file, and reports success.
    if (target.object() != nullptr && target.info.version == moved.info.version) {
      return Error(ErrorKind::kFailedPrecondition,
                   "{} and {} are two names of the same file; delete one of them instead",
                   Quoted(from), Quoted(to));
    }
    ARROW_ASSIGN_OR_RAISE(auto folder, root_->OpenFolderOf(from, Attempt::kRename));
    if (!folder) return NoSuchObject(from);
    moved.from_folder = std::move(*folder);
    const std::string leaf(LeafOf(from));
    if (const auto state = StatEntry(moved.from_folder.get(), leaf.c_str());
        state && S_ISLNK(state->stx_mode)) {
      return Error(ErrorKind::kFailedPrecondition,
                   "{} is a link in the data folder and cannot be renamed", Quoted(from));
    }
    ARROW_ASSIGN_OR_RAISE(auto renamed, RetiredLink::Make(*root_, from, RetiredBy::kRenamed));
    ARROW_ASSIGN_OR_RAISE(auto replaced, RetiredLink::Make(*root_, to, RetiredBy::kReplaced));
    ARROW_ASSIGN_OR_RAISE(
        moved.to_folders,
        MoveToKey(moved.from_folder.get(), leaf, to, target,
                  to_precondition.kind == Precondition::Kind::kAbsent, Attempt::kRename));
    renamed.Keep();
    replaced.Keep();
    return moved;
  }

  const std::shared_ptr<LocalRoot> root_;
};

// From a disk with a battery to one that is drowning.
SyncDurations ShowSyncs(Metrics* metrics) {
  const std::vector<double> bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                      0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  const auto durations = [&](const char* of) {
    return metrics->Durations("hangar_fsync_duration_seconds",
                              "How long the disk took to make a file or a folder durable.", bounds,
                              {{"of", of}});
  };
  return {.files = durations("file"), .folders = durations("folder")};
}

using FileSystem = struct statvfs;

// Blocks of the file system that `root` is on, in bytes; NaN when it does not say, as 0 would look
// like a full disk.
double StorageBytes(const LocalRoot& root, fsblkcnt_t FileSystem::* blocks) {
  FileSystem state{};
  if (::fstatvfs(root.root(), &state) != 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(state.*blocks) * static_cast<double>(state.f_frsize);
}

void ShowStorage(Metrics* metrics, const std::shared_ptr<LocalRoot>& root) {
  metrics->AskGauge("hangar_staged_bytes", "Bytes of uploads that are not published yet.", {},
                    [root] { return static_cast<double>(root->staged().bytes); });
  metrics->AskGauge("hangar_staged_uploads", "Uploads that are not published yet.", {},
                    [root] { return static_cast<double>(root->staged().objects); });
  metrics->AskGauge("hangar_storage_size_bytes", "Size of the data folder's file system.", {},
                    [root] { return StorageBytes(*root, &FileSystem::f_blocks); });
  metrics->AskGauge("hangar_storage_free_bytes",
                    "What is free for the server on the data folder's file system.", {},
                    [root] { return StorageBytes(*root, &FileSystem::f_bavail); });
}

}  // namespace

arrow::Result<std::shared_ptr<ObjectStore>> LocalStore::Make(const std::string& root,
                                                             Metrics* metrics) {
  const SyncDurations syncs = metrics == nullptr ? SyncDurations{} : ShowSyncs(metrics);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<LocalRoot> opened, LocalRoot::Open(root, syncs));
  if (metrics != nullptr) ShowStorage(metrics, opened);
  return std::make_shared<LocalObjectStore>(std::move(opened));
}

}  // namespace hangar
