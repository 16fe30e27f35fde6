#include "service/version_history.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "service/access_gate.h"
#include "service/dataset_service.h"
#include "store/object_store.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// A purge that meets someone who holds versions at that moment looks again, so often at most.
constexpr int kPurgeLooksMax = 8;

const RetiredObject* LatestDropped(const std::vector<RetiredObject>& retired) {
  const auto found = std::ranges::find(retired, RetiredBy::kDropped, &RetiredObject::by);
  return found == retired.end() ? nullptr : &*found;
}

class TrashLister final : public DatasetLister {
 public:
  TrashLister(ObjectStore* store, Catalog* catalog, std::unique_ptr<KeyLister> keys,
              ListRequest request, CallerRights rights, Caller caller)
      : store_(store),
        catalog_(catalog),
        keys_(std::move(keys)),
        request_(std::move(request)),
        rights_(std::move(rights)),
        caller_(std::move(caller)) {}

  arrow::Result<std::optional<DatasetDescription>> Next() override {
    while (!request_.limit || given_ < *request_.limit) {
      if (caller_.IsGone()) return CallerIsGone();
      ARROW_ASSIGN_OR_RAISE(const auto key, keys_->Next());
      if (!key) break;
      const auto name = DatasetName::Parse(*key);
      if (!name.ok() || !IsWanted(*key)) continue;
      auto dropped = Find(*name);
      if (!dropped) continue;
      ++given_;
      return dropped;
    }
    return std::nullopt;
  }

 private:
  bool IsWanted(const std::string& key) const {
    if (!request_.glob.empty() && !GlobMatches(request_.glob, key)) return false;
    return rights_.May(AccessAction::kRead, key);
  }

  // What was dropped of a name that is free now. One that cannot be read must not end the listing.
  std::optional<DatasetDescription> Find(const DatasetName& name) {
    if (store_->Stat(name.value()).ok()) return std::nullopt;
    const auto retired = store_->ListRetired(name.value());
    if (!retired.ok()) return std::nullopt;
    const RetiredObject* const dropped = LatestDropped(*retired);
    if (dropped == nullptr) return std::nullopt;
    const auto snapshot = catalog_->Describe(name, dropped->object.version);
    if (!snapshot.ok() || !snapshot->retired) return std::nullopt;
    return DescriptionOf(*snapshot, rights_.HiddenOf(name.value()));
  }

  ObjectStore* const store_;
  Catalog* const catalog_;
  const std::unique_ptr<KeyLister> keys_;
  const ListRequest request_;
  const CallerRights rights_;
  const Caller caller_;
  int64_t given_ = 0;
};

}  // namespace

arrow::Result<std::vector<DatasetDescription>> VersionHistory::Versions(
    const Caller& caller, const std::string& dataset) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kRead, name.value()));
  ARROW_ASSIGN_OR_RAISE(const auto snapshots, catalog_->Versions(name));
  if (snapshots.empty()) return NoSuchObject(name.value());
  std::vector<DatasetDescription> versions;
  versions.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) {
    versions.push_back(DescriptionOf(snapshot, rights.HiddenOf(name.value())));
  }
  return versions;
}

arrow::Result<VersionHistory::Restored> VersionHistory::Restore(const Caller& caller,
                                                                const RestoreRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kWrite, name.value()));
  if (request.version.has_value() == request.as_of.has_value()) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "give either the version to restore or the time, as_of, at which it was the "
                     "current one");
  }
  std::string version;
  if (request.version) {
    version = *request.version;
  } else {
    ARROW_ASSIGN_OR_RAISE(version, catalog_->VersionAt(name, *request.as_of));
  }
  const Precondition precondition =
      request.if_version ? Precondition::Version(*request.if_version) : Precondition::None();
  const auto object = store_->RestoreRetired(name.value(), version, precondition);
  ARROW_RETURN_NOT_OK(rights.Note("restore", name.value(), object.status(), version));
  keeper_->NoteRetired();
  return Restored{.dataset = object->key, .version = object->version};
}

arrow::Result<VersionHistory::Restored> VersionHistory::Undrop(const Caller& caller,
                                                               const std::string& dataset) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kWrite, name.value()));
  ARROW_ASSIGN_OR_RAISE(const auto retired, store_->ListRetired(name.value()));
  const RetiredObject* const dropped = LatestDropped(retired);
  if (dropped == nullptr) {
    if (store_->Stat(name.value()).ok()) {
      return Error(ErrorKind::kAlreadyExists, "{} is there; nothing that was dropped of it is kept",
                   Quoted(name.value()));
    }
    return Error(ErrorKind::kNotFound, "nothing that was dropped of {} is kept",
                 Quoted(name.value()));
  }
  const auto object =
      store_->RestoreRetired(name.value(), dropped->object.version, Precondition::Absent());
  ARROW_RETURN_NOT_OK(
      rights.Note("undrop", name.value(), object.status(), dropped->object.version));
  return Restored{.dataset = object->key, .version = object->version};
}

arrow::Result<std::unique_ptr<DatasetLister>> VersionHistory::Trash(const Caller& caller,
                                                                    const ListRequest& request) {
  ARROW_RETURN_NOT_OK(CheckListRequest(request));
  CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.RequireForList());
  ARROW_ASSIGN_OR_RAISE(
      auto keys, store_->ListRetiredKeys({.prefix = request.prefix, .after = request.after}));
  return std::make_unique<TrashLister>(store_.get(), catalog_, std::move(keys), request,
                                       std::move(rights), caller);
}

arrow::Result<HistoryTotals> VersionHistory::Purge(const Caller& caller, const std::string& dataset,
                                                   const std::optional<std::string>& version) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kAdmin, name.value()));
  auto purged = PurgeAll(name, version);
  ARROW_RETURN_NOT_OK(rights.Note("purge", name.value(), purged.status(), version.value_or("")));
  return purged;
}

arrow::Result<HistoryTotals> VersionHistory::PurgeAll(const DatasetName& name,
                                                      const std::optional<std::string>& version) {
  HistoryTotals purged;
  bool found = false;
  for (int look = 0; look < kPurgeLooksMax; ++look) {
    ARROW_ASSIGN_OR_RAISE(auto retired, store_->ListRetired(name.value()));
    if (version) {
      std::erase_if(retired,
                    [&](const RetiredObject& entry) { return entry.object.version != *version; });
    }
    if (retired.empty()) break;
    for (const RetiredObject& entry : retired) {
      ARROW_RETURN_NOT_OK(store_->PurgeRetired(entry));
      catalog_->Forget(entry.object.version);
      // A second look finds what was held meanwhile, which was counted already.
      if (look > 0 || entry.by == RetiredBy::kRenamed) continue;
      ++purged.versions;
      purged.bytes += entry.object.size_bytes;
    }
    found = true;
  }
  if (found) return purged;
  if (version) return NotRetired(name.value(), *version);
  return Error(ErrorKind::kNotFound, "no past versions of {} are kept", Quoted(name.value()));
}

arrow::Result<VersionHistory::Status> VersionHistory::Describe(const Caller& caller) {
  ARROW_RETURN_NOT_OK(gate_->RightsOf(caller).RequireEverywhere(AccessAction::kAdmin));
  ARROW_ASSIGN_OR_RAISE(const HistoryTotals totals, CountRetired(*store_));
  return Status{.totals = totals, .policy = keeper_->policy()};
}

}  // namespace hangar
