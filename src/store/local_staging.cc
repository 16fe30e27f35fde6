#include "store/local_staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/folder_reader.h"
#include "store/local_error.h"
#include "store/local_file.h"
#include "store/local_history.h"
#include "store/local_layout.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

constexpr char kUpload[] = "the upload";
constexpr int kStageAttemptsMax = 16;
constexpr int64_t kWriteBackBytes = 8LL << 20;

// Returns 0, EWOULDBLOCK when someone else holds it, or another errno.
int HoldFile(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int SetModified(int fd, Timestamp time) {
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  timespec times[2] = {};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = seconds.count();
  times[1].tv_nsec = (since_epoch - seconds).count();
  return ::futimens(fd, times) == 0 ? 0 : errno;
}

class LocalStaged final : public StagedObject {
 public:
  LocalStaged(std::shared_ptr<LocalRoot> root, std::string name, UniqueDescriptor file)
      : root_(std::move(root)), name_(std::move(name)), file_(std::move(file)) {
    ++root_->staged().objects;
  }

  ~LocalStaged() override {
    --root_->staged().objects;
    root_->staged().bytes -= size_bytes_;
    if (state_ != State::kPublished) ::unlinkat(root_->staging(), name_.c_str(), 0);
  }

  arrow::Status Append(const void* bytes, int64_t length) override {
    if (state_ != State::kGrowing) return UsedOutOfOrder("written to after its end or a failure");
    if (const int error = WriteAll(file_.get(), bytes, length)) {
      state_ = State::kFailed;
      return LocalError(error, Attempt::kWrite, kUpload);
    }
    size_bytes_ += length;
    root_->staged().bytes += length;
    StartWriteBack();
    return arrow::Status::OK();
  }

  int64_t size_bytes() const override { return size_bytes_; }

  arrow::Status Seal() override {
    if (state_ != State::kGrowing) return UsedOutOfOrder("sealed twice or after a failure");
    state_ = State::kFailed;
    // The time is part of the version, so it has to be as durable as the bytes.
    if (const int error = SetModified(file_.get(), root_->NextTime())) {
      return LocalError(error, Attempt::kWrite, kUpload);
    }
    if (const int error = SyncOnce(file_.get(), root_->syncs().files)) {
      return LocalError(error, Attempt::kMakeDurable, kUpload);
    }
    const auto state = StatDescriptor(file_.get());
    if (!state) return LocalError(state.error(), Attempt::kRead, kUpload);
    info_ = InfoOf({}, *state);
    info_.settled = true;
    state_ = State::kSealed;
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() override {
    if (state_ != State::kSealed) return UsedOutOfOrder("read before it was sealed");
    auto file = OpenEntry(root_->staging(), name_, O_RDONLY);
    if (!file) return LocalError(file.error(), Attempt::kRead, kUpload);
    return MakeLocalReader(std::move(*file), info_);
  }

  arrow::Result<ObjectInfo> Publish(const std::string& key,
                                    const Precondition& precondition) override {
    if (state_ != State::kSealed) return UsedOutOfOrder("published unsealed or twice");
    ARROW_RETURN_NOT_OK(CheckKey(key));
    ARROW_ASSIGN_OR_RAISE(const FolderChain folders, MoveToKey(key, precondition));
    state_ = State::kPublished;
    info_.key = key;
    ARROW_RETURN_NOT_OK(folders.MakeDurable(Quoted(key)));
    return info_;
  }

 private:
  enum class State { kGrowing, kSealed, kPublished, kFailed };

  // Lets the disk begin with what has come, so that Seal finds little left to do. It promises
  // nothing; what goes wrong, Seal's fsync reports.
  void StartWriteBack() {
    if (size_bytes_ - started_bytes_ < kWriteBackBytes) return;
    ::sync_file_range(file_.get(), started_bytes_, size_bytes_ - started_bytes_,
                      SYNC_FILE_RANGE_WRITE);
    started_bytes_ = size_bytes_;
  }

  arrow::Result<FolderChain> MoveToKey(const std::string& key, const Precondition& precondition) {
    ARROW_ASSIGN_OR_RAISE(const KeyLocks::Held held, root_->locks().Lock(key));
    ARROW_ASSIGN_OR_RAISE(const Occupant occupant, root_->Probe(key));
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, occupant.object()));
    ARROW_ASSIGN_OR_RAISE(auto replaced, RetiredLink::Make(*root_, key, RetiredBy::kReplaced));
    const bool only_if_absent = precondition.kind == Precondition::Kind::kAbsent;
    auto folders =
        root_->MoveTo(root_->staging(), name_, key, occupant, only_if_absent, Attempt::kPublish);
    if (!folders.ok()) {
      root_->PruneFoldersOf(key);
    } else {
      replaced.Keep();
    }
    return folders;
  }

  const std::shared_ptr<LocalRoot> root_;
  const std::string name_;
  const UniqueDescriptor file_;
  int64_t size_bytes_ = 0;
  int64_t started_bytes_ = 0;  // Of which the writing to the disk was started.
  ObjectInfo info_;            // Once sealed; without a key until it is published.
  State state_ = State::kGrowing;
};

// Removes one staged file unless someone holds it. Returns its size, or nothing.
OrErrno<std::optional<int64_t>> SweepOne(int staging, const std::string& name) {
  auto file = OpenEntry(staging, name, O_RDWR | O_NONBLOCK);
  if (!file) {
    if (IsPassedOver(file.error())) return std::nullopt;
    return std::unexpected(file.error());
  }
  if (HoldFile(file->get()) != 0) return std::nullopt;
  // Its writer may have published it and gone between the two lines above, and then the name
  // would be nobody's or a stranger's.
  const auto held = StatDescriptor(file->get());
  const auto named = StatEntry(staging, name.c_str());
  if (!held || !named || IdentityOf(*held) != IdentityOf(*named)) return std::nullopt;
  if (!S_ISREG(held->stx_mode)) return std::nullopt;
  if (::unlinkat(staging, name.c_str(), 0) != 0) return std::unexpected(errno);
  return static_cast<int64_t>(held->stx_size);
}

}  // namespace

arrow::Result<std::unique_ptr<StagedObject>> StageLocal(std::shared_ptr<LocalRoot> root) {
  for (int attempt = 0; attempt < kStageAttemptsMax; ++attempt) {
    std::string name = NewStagedName();
    auto file = OpenEntry(root->staging(), name, O_RDWR | O_CREAT | O_EXCL, 0666);
    if (!file && file.error() == EEXIST) continue;
    if (!file) return LocalError(file.error(), Attempt::kWrite, kUpload);
    const int error = HoldFile(file->get());
    const auto state = StatDescriptor(file->get());
    // A sweep may have come between making the file and holding it.
    const bool swept = error == EWOULDBLOCK || (state && state->stx_nlink == 0);
    if (error == 0 && state && !swept) {
      return std::make_unique<LocalStaged>(std::move(root), std::move(name), std::move(*file));
    }
    ::unlinkat(root->staging(), name.c_str(), 0);
    if (!swept) return LocalError(error ? error : state.error(), Attempt::kWrite, kUpload);
  }
  return Error(ErrorKind::kUnavailable, "the upload's file is swept away again and again");
}

arrow::Result<SweepReport> SweepLocalStaging(const LocalRoot& root) {
  constexpr char kSubject[] = "the staging folder";
  auto folder = OpenEntry(root.staging(), ".", O_RDONLY | O_DIRECTORY);
  if (!folder) return LocalError(folder.error(), Attempt::kList, kSubject);
  auto reader = FolderReader::Make(std::move(*folder));
  if (!reader) return LocalError(reader.error(), Attempt::kList, kSubject);
  SweepReport report;
  for (;;) {
    const auto entry = reader->Next();
    if (!entry) return LocalError(entry.error(), Attempt::kList, kSubject);
    if (!*entry) return report;
    const std::string name((*entry)->name);
    if (!IsStagedName(name)) continue;
    const auto removed_bytes = SweepOne(root.staging(), name);
    if (!removed_bytes) return LocalError(removed_bytes.error(), Attempt::kDelete, kSubject);
    if (!*removed_bytes) continue;
    ++report.removed_objects;
    report.removed_bytes += **removed_bytes;
  }
}

}  // namespace hangar
