#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/clock.h"

namespace hangar {

/// What a store knows of one object without reading it.
struct ObjectInfo {
  /// The object's whole name: segments joined with '/'. Everything put in through a store has a
  /// valid dataset name (`catalog/dataset_name.h`); a listing may also show what other tools put
  /// there under names that are not, such as one with a control character.
  std::string key;
  /// Opaque; equal exactly when the stored bytes are the same object. Printable ASCII, no spaces.
  std::string version;
  int64_t size_bytes = 0;
  Timestamp modified{};
};

/// What must hold of a key at the moment of a change. The check and the change are one step.
struct Precondition {
  enum class Kind {
    kNone,     ///< Whatever is there.
    kAbsent,   ///< Nothing is there, else ALREADY_EXISTS.
    kVersion,  ///< Exactly this version is there, else FAILED_PRECONDITION.
  };
  Kind kind = Kind::kNone;
  std::string version;  ///< For kVersion.

  static Precondition None() { return {}; }
  static Precondition Absent() { return {Kind::kAbsent, {}}; }
  static Precondition Version(std::string version) { return {Kind::kVersion, std::move(version)}; }
};

/// Reads one version of one object; what it reads never mixes two versions. Any thread may call.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  virtual const ObjectInfo& info() const = 0;

  /// Reads exactly `length` bytes at `offset` into `out`, blocking. Asking beyond the end is
  /// INVALID_ARGUMENT. DATA_LOSS when the bytes were changed in place since the reader was opened:
  /// what is in `out` must then be thrown away.
  virtual arrow::Status ReadAt(int64_t offset, int64_t length, void* out) = 0;
};

/// An object that grows out of sight and becomes visible in one step, or never. One thread at a
/// time. Destroying it without a successful Publish leaves nothing behind.
///
///   auto staged = store->Stage();
///   staged->Append(...); staged->Seal(); staged->OpenSealed() ...; staged->Publish(key, ...);
class StagedObject {
 public:
  virtual ~StagedObject() = default;

  /// Adds bytes at the end. RESOURCE_EXHAUSTED when the store is full. After any failure only
  /// destruction is left.
  virtual arrow::Status Append(const void* bytes, int64_t length) = 0;

  virtual int64_t size_bytes() const = 0;

  /// Makes the bytes durable. A failed Seal is final: the bytes may be gone from the page cache, so
  /// it is never tried again.
  virtual arrow::Status Seal() = 0;

  /// Reads back what was sealed, to verify it before it is published. The reader's info has no key
  /// yet; its version is the one that Publish returns.
  virtual arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() = 0;

  /// Makes the sealed object visible at `key`, replacing what is there when the precondition
  /// allows. When it returns OK the change survives a power loss. When it fails nothing changed and
  /// it may be called again, for instance with another key, with one exception: a failure to make
  /// the folder entry durable is an error although readers may see the new object.
  ///
  /// FAILED_PRECONDITION as well where a store with folders cannot have the key beside another one
  /// (`a` and `a/b`).
  virtual arrow::Result<ObjectInfo> Publish(const std::string& key,
                                            const Precondition& precondition) = 0;
};

/// Walks keys in ascending byte order, holding a bounded number of them. One thread at a time.
class ObjectLister {
 public:
  virtual ~ObjectLister() = default;

  /// The next object, or nullopt at the end. Objects that come or go during the walk may or may not
  /// be seen; those that stay are seen exactly once.
  virtual arrow::Result<std::optional<ObjectInfo>> Next() = 0;
};

struct ListOptions {
  std::string prefix;  ///< Only keys that begin with these bytes.
  std::string after;   ///< Only keys greater than this one.
};

struct SweepReport {
  int64_t removed_objects = 0;
  int64_t removed_bytes = 0;
};

/// The one seam to bytes at rest: everything stored is read and written through it, so that another
/// store (memory, S3) or an injected fault can stand in. Thread-safe. All calls may block.
///
/// Keys are given as valid dataset names. Errors carry a kind (`base/error.h`) and a sentence that
/// names the key and never a path of the disk.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// NOT_FOUND when there is no object of that key.
  virtual arrow::Result<ObjectInfo> Stat(const std::string& key) = 0;

  /// Opens the current version. The reader goes on reading it after it was replaced or deleted.
  virtual arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) = 0;

  virtual arrow::Result<std::unique_ptr<StagedObject>> Stage() = 0;

  virtual arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) = 0;

  /// Removes the object, durably. NOT_FOUND when it is not there, whatever the precondition.
  virtual arrow::Status Delete(const std::string& key, const Precondition& precondition) = 0;

  /// Moves an object to another key in one step; `from_precondition` and `to_precondition` hold for
  /// the two keys. NOT_FOUND when `from` is not there. Renaming a key to itself changes nothing.
  /// Returns the object under its new key, with the version it has from now on. Durable, and fails,
  /// as Publish.
  virtual arrow::Result<ObjectInfo> Rename(const std::string& from, const std::string& to,
                                           const Precondition& from_precondition,
                                           const Precondition& to_precondition) = 0;

  /// Removes staged objects whose writer is gone. Safe while other processes stage.
  virtual arrow::Result<SweepReport> SweepStaging() = 0;
};

}  // namespace hangar
