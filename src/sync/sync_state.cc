#include "sync/sync_state.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "files/private_file.h"

namespace hangar::sync {
namespace {

using nlohmann::json;

constexpr char kRemotes[] = "remotes";

SyncedFile FileOf(const json& entry) {
  return {.version = entry.at("version"),
          .local = {.bytes = entry.at("bytes"), .modified_ns = entry.at("modified_ns")},
          .sha256 = entry.at("sha256")};
}

json EntryOf(const SyncedFile& file) {
  return {{"version", file.version},
          {"bytes", file.local.bytes},
          {"modified_ns", file.local.modified_ns},
          {"sha256", file.sha256}};
}

SyncedFiles FilesOf(const json& root, const std::string& remote) {
  SyncedFiles files;
  const json& remotes = root.at(kRemotes);
  if (!remotes.is_object() || !remotes.contains(remote)) return files;
  for (const auto& [path, entry] : remotes.at(remote).items()) files[path] = FileOf(entry);
  return files;
}

}  // namespace

arrow::Result<SyncState> SyncState::Load(const std::string& path, const std::string& server,
                                         const std::string& prefix) {
  SyncState state;
  state.path_ = path;
  state.remote_ = server + " " + prefix;
  ARROW_ASSIGN_OR_RAISE(const auto text, ReadPrivateFile(path));
  if (!text) return state;
  try {
    state.files = FilesOf(json::parse(*text), state.remote_);
  } catch (const json::exception&) {
    return Error(ErrorKind::kFailedPrecondition,
                 "{} is not what a sync has written: without it, contents are compared",
                 Quoted(path));
  }
  state.others_ = *text;
  return state;
}

arrow::Status SyncState::Save() const {
  json root = others_.empty() ? json{{kRemotes, json::object()}} : json::parse(others_);
  json entries = json::object();
  for (const auto& [path, file] : files) entries[path] = EntryOf(file);
  root[kRemotes][remote_] = std::move(entries);
  return WritePrivateFile(path_, root.dump() + "\n");
}

}  // namespace hangar::sync
