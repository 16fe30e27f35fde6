#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/object_store.h"

namespace hangar {

/// Hands every call on to another store: for tests that look at some of them, or let them fail.
class ForwardingStore : public ObjectStore {
 public:
  explicit ForwardingStore(std::shared_ptr<ObjectStore> store) : store_(std::move(store)) {}

  arrow::Result<ObjectInfo> Stat(const std::string& key) override { return store_->Stat(key); }
  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    return store_->Open(key);
  }
  arrow::Result<std::unique_ptr<StagedObject>> Stage(const StageOptions& options) override {
    return store_->Stage(options);
  }
  StagingMemory staging_memory() const override { return store_->staging_memory(); }
  arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) override {
    return store_->List(options);
  }
  arrow::Status Delete(const std::string& key, const Precondition& precondition) override {
    return store_->Delete(key, precondition);
  }
  arrow::Result<ObjectInfo> Rename(const std::string& from, const std::string& to,
                                   const Precondition& from_precondition,
                                   const Precondition& to_precondition) override {
    return store_->Rename(from, to, from_precondition, to_precondition);
  }
  arrow::Result<std::vector<RetiredObject>> ListRetired(const std::string& key) override {
    return store_->ListRetired(key);
  }
  arrow::Result<std::unique_ptr<KeyLister>> ListRetiredKeys(const ListOptions& options) override {
    return store_->ListRetiredKeys(options);
  }
  arrow::Result<std::unique_ptr<ObjectReader>> OpenRetired(const std::string& key,
                                                           const std::string& version) override {
    return store_->OpenRetired(key, version);
  }
  arrow::Status HoldRetired(const std::string& key, const std::string& version,
                            Timestamp until) override {
    return store_->HoldRetired(key, version, until);
  }
  arrow::Result<ObjectInfo> RestoreRetired(const std::string& key, const std::string& version,
                                           const Precondition& precondition) override {
    return store_->RestoreRetired(key, version, precondition);
  }
  arrow::Status PurgeRetired(const RetiredObject& retired) override {
    return store_->PurgeRetired(retired);
  }
  arrow::Result<SweepReport> SweepStaging() override { return store_->SweepStaging(); }

 private:
  const std::shared_ptr<ObjectStore> store_;
};

}  // namespace hangar
