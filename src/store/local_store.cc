#include "store/local_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/local_error.h"
#include "store/local_file.h"
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

  arrow::Result<std::unique_ptr<StagedObject>> Stage() override { return StageLocal(root_); }

  arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) override {
    return MakeLocalLister(root_, options);
  }

  arrow::Status Delete(const std::string& key, const Precondition& precondition) override {
    ARROW_RETURN_NOT_OK(CheckKey(key));
    ARROW_ASSIGN_OR_RAISE(const FileDescriptor folder, Unlink(key, precondition));
    if (const int error = SyncOnce(folder.get())) {
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
    if (const int error = SyncOnce(moved.from_folder.get())) {
      return LocalError(error, Attempt::kMakeDurable, subject);
    }
    root_->PruneFoldersOf(from);
    moved.info.key = to;
    return std::move(moved.info);
  }

  arrow::Result<SweepReport> SweepStaging() override { return SweepLocalStaging(*root_); }

 private:
  /// A rename that is done but not yet durable.
  struct Moved {
    ObjectInfo info;
    FileDescriptor from_folder;
    FolderChain to_folders;
  };

  /// Returns the folder that the object was in.
  arrow::Result<FileDescriptor> Unlink(const std::string& key, const Precondition& precondition) {
    ARROW_ASSIGN_OR_RAISE(const KeyLocks::Held held, root_->locks().Lock(key));
    ARROW_ASSIGN_OR_RAISE(const Occupant occupant, root_->Probe(key));
    if (occupant.object() == nullptr) return NotAnObject(key, occupant);
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, occupant.object()));
    ARROW_ASSIGN_OR_RAISE(auto folder, root_->OpenFolderOf(key, Attempt::kDelete));
    if (!folder) return NoSuchObject(key);
    const std::string leaf(LeafOf(key));
    if (::unlinkat(folder->get(), leaf.c_str(), 0) != 0) {
      if (errno == ENOENT) return NoSuchObject(key);
      return LocalError(errno, Attempt::kDelete, Quoted(key));
    }
    return std::move(*folder);
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
    const bool only_if_absent = to_precondition.kind == Precondition::Kind::kAbsent;
    auto folders =
        root_->MoveTo(moved.from_folder.get(), leaf, to, target, only_if_absent, Attempt::kRename);
    if (!folders.ok()) {
      root_->PruneFoldersOf(to);
      return folders.status();
    }
    moved.to_folders = std::move(*folders);
    return moved;
  }

  const std::shared_ptr<LocalRoot> root_;
};

}  // namespace

arrow::Result<std::shared_ptr<ObjectStore>> LocalStore::Make(const std::string& root) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<LocalRoot> opened, LocalRoot::Open(root));
  return std::make_shared<LocalObjectStore>(std::move(opened));
}

}  // namespace hangar
