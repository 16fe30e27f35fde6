#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/mutex.h"
#include "base/unique_descriptor.h"
#include "sync/sync_plan.h"

namespace hangar::sync {

/// What a folder holds that can be synchronised.
struct FolderContents {
  LocalFiles files;
  /// Parquet files whose paths no dataset can have, as sentences.
  std::vector<std::string> problems;
  int64_t links = 0;  ///< That were passed over.
};

/// A file that arrives: it grows beside the folder's files, out of their way, and takes its place
/// in one step. Destroyed before, it leaves nothing. One thread at a time.
class IncomingFile {
 public:
  virtual ~IncomingFile() = default;

  virtual arrow::Status Write(std::string_view bytes) = 0;

  /// Makes what was written durable. `path()` can be read from then on.
  virtual arrow::Status Seal() = 0;
  virtual const std::string& path() const = 0;

  /// Puts it in its place; FAILED_PRECONDITION when what stands there is not `expected` (nullptr:
  /// nothing) any more. Gives what stands there now.
  virtual arrow::Result<LocalFile> Publish(const LocalFile* expected) = 0;
};

/// The local side of a sync. Paths are relative and have passed CheckSyncPath. Links are never
/// followed below the folder, so that nothing outside of it is read, written or removed. Any thread
/// may call.
class SyncFolder {
 public:
  /// Where the state of syncs is, within the folder.
  static constexpr char kOwnFolder[] = ".hangar-sync";

  /// NOT_FOUND when there is no such folder and `make` is false.
  static arrow::Result<std::unique_ptr<SyncFolder>> Open(const std::string& folder, bool make);
  SyncFolder(const SyncFolder&) = delete;
  SyncFolder& operator=(const SyncFolder&) = delete;

  /// Keeps other syncs out of the folder for as long as it is open, and clears away what one that
  /// was killed left behind. UNAVAILABLE while another one runs.
  arrow::Status Lock();

  std::string state_path() const;
  std::string PathOf(const std::string& path) const;

  /// Every Parquet file, in the folders below too, but for hidden ones.
  arrow::Result<FolderContents> Scan() const;

  /// What stands at `path`: a regular file, or NOT_FOUND; FAILED_PRECONDITION when a link, or what
  /// is no file, stands there or on the way there.
  arrow::Result<LocalFile> Look(const std::string& path) const;

  /// SHA-256 of a whole file.
  arrow::Result<std::string> Digest(const std::string& path) const;

  /// A new file that is to stand at `path` in the end. UNAVAILABLE after EndIncoming.
  arrow::Result<std::unique_ptr<IncomingFile>> Receive(const std::string& path) const
      HANGAR_EXCLUDES(mutex_);

  /// Removes a file, and the folders that are empty then. FAILED_PRECONDITION when it is not
  /// `expected` any more.
  arrow::Status Remove(const std::string& path, const LocalFile& expected) const;

  /// Removes what is arriving, and lets nothing more arrive: for the end of the process, whose
  /// other threads still run.
  void EndIncoming() const HANGAR_EXCLUDES(mutex_);

 private:
  explicit SyncFolder(std::string folder);

  void ClearIncoming() const;

  const std::string folder_;
  UniqueDescriptor lock_;
  mutable Mutex mutex_;
  // Names what arrives; the lock makes it unique.
  mutable uint64_t received_ HANGAR_GUARDED_BY(mutex_) = 0;
  mutable bool ended_ HANGAR_GUARDED_BY(mutex_) = false;
};

}  // namespace hangar::sync
