#include "store/s3_history.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/error.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// As the name of an entry that somebody saw: with until when it was held then.
std::string EntryOf(const std::string& name, Timestamp held_until) {
  return name + ' ' + std::to_string(held_until.time_since_epoch().count());
}

std::string NameOfEntry(const std::string& entry) { return entry.substr(0, entry.rfind(' ')); }

arrow::Result<S3PastObject> TheOneOf(std::vector<S3PastObject> past, const std::string& key,
                                     const std::string& version) {
  const auto found = std::ranges::find(
      past, version, [](const S3PastObject& entry) { return entry.retired.object.version; });
  if (found == past.end()) return NotRetired(key, version);
  return std::move(*found);
}

class S3RetiredKeyLister final : public KeyLister {
 public:
  S3RetiredKeyLister(std::shared_ptr<const S3Bucket> bucket, ListOptions options)
      : bucket_(std::move(bucket)), options_(std::move(options)) {
    request_.prefix = bucket_->Whole(std::string(kS3History) + EscapeForS3History(options_.prefix));
    request_.delimiter = " ";
    if (!options_.after.empty()) {
      request_.start_after =
          bucket_->Whole(std::string(kS3History) + S3HistoryFolderOf(options_.after));
    }
  }

  arrow::Result<std::optional<std::string>> Next() override {
    while (true) {
      while (!found_.empty()) {
        auto key = KeyOfS3HistoryFolder(found_.front());
        found_.pop_front();
        if (key && *key > options_.after) return key;
      }
      if (ended_) return std::nullopt;
      ARROW_ASSIGN_OR_RAISE(S3Listing listing, bucket_->client().List(request_));
      for (const std::string& whole : listing.prefixes) {
        found_.push_back(bucket_->KeyOf(whole).substr(kS3History.size()));
      }
      ended_ = !listing.next_page;
      request_.page = std::move(listing.next_page);
    }
  }

 private:
  const std::shared_ptr<const S3Bucket> bucket_;
  const ListOptions options_;
  S3ListRequest request_;
  std::deque<std::string> found_;
  bool ended_ = false;
};

}  // namespace

std::string S3History::FolderOf(const std::string& key) const {
  return std::string(kS3History) + S3HistoryFolderOf(key);
}

arrow::Result<std::string> S3History::Add(const ObjectInfo& info, RetiredBy by) const {
  const S3HistoryName name{
      .time = Now(), .by = by, .modified = info.modified, .version = info.version};
  std::string whole = FolderOf(info.key) + name.ToString();
  ARROW_RETURN_NOT_OK(bucket_->client()
                          .Copy(bucket_->Whole(info.key), info.version, bucket_->Whole(whole))
                          .status());
  return whole;
}

arrow::Status S3History::Remove(const std::string& name) const {
  return bucket_->client().Delete(bucket_->Whole(name), {});
}

arrow::Status S3History::MarkMoved(const std::string& key, const std::string& name) const {
  const auto entry = ParseS3HistoryName(name.substr(FolderOf(key).size()));
  if (!entry) return Error(ErrorKind::kInternal, "what was to be marked is no entry");
  const S3HistoryName mark{
      .kind = S3HistoryName::Kind::kMoved, .time = entry->time, .version = entry->version};
  return bucket_->client().Write(bucket_->Whole(FolderOf(key) + mark.ToString()), {}, {}).status();
}

arrow::Result<std::vector<S3Object>> S3History::ObjectsOf(const std::string& key) const {
  S3ListRequest request{.prefix = bucket_->Whole(FolderOf(key))};
  std::vector<S3Object> objects;
  do {
    ARROW_ASSIGN_OR_RAISE(S3Listing listing, bucket_->client().List(request));
    std::ranges::move(listing.objects, std::back_inserter(objects));
    request.page = std::move(listing.next_page);
  } while (request.page);
  return objects;
}

arrow::Result<std::vector<S3PastObject>> S3History::List(const std::string& key) const {
  ARROW_ASSIGN_OR_RAISE(auto past, ListAll(key));
  if (past.empty()) return past;
  ARROW_ASSIGN_OR_RAISE(const auto current, bucket_->Find(key));
  if (current) {
    std::erase_if(past, [&](const S3PastObject& entry) {
      return entry.retired.object.version == current->version;
    });
  }
  return past;
}

arrow::Result<std::vector<S3PastObject>> S3History::ListAll(const std::string& key) const {
  ARROW_ASSIGN_OR_RAISE(const auto objects, ObjectsOf(key));
  const size_t folder_bytes = bucket_->Whole(FolderOf(key)).size();
  std::vector<S3PastObject> past;
  std::map<std::string, Timestamp, std::less<>> held;
  std::vector<std::pair<Timestamp, std::string>> moved;
  for (const S3Object& object : objects) {
    const auto name = ParseS3HistoryName(std::string_view(object.key).substr(folder_bytes));
    if (!name) continue;
    if (name->kind == S3HistoryName::Kind::kHeld) {
      Timestamp& until = held[name->version];
      until = std::max(until, name->time);
    } else if (name->kind == S3HistoryName::Kind::kMoved) {
      moved.emplace_back(name->time, name->version);
    } else {
      past.push_back({.retired = {.object = {.key = key,
                                             .version = name->version,
                                             .size_bytes = object.size_bytes,
                                             .modified = name->modified},
                                  .retired = name->time,
                                  .by = name->by},
                      .name = bucket_->KeyOf(object.key),
                      .etag = object.etag});
    }
  }
  for (S3PastObject& entry : past) {
    RetiredObject& retired = entry.retired;
    if (const auto until = held.find(retired.object.version); until != held.end()) {
      retired.held_until = until->second;
    }
    if (std::ranges::contains(moved, std::pair(retired.retired, retired.object.version))) {
      retired.by = RetiredBy::kRenamed;
    }
    retired.entry = EntryOf(entry.name, retired.held_until);
  }
  std::ranges::sort(past, std::greater(),
                    [](const S3PastObject& entry) { return entry.retired.retired; });
  return past;
}

arrow::Result<S3PastObject> S3History::Find(const std::string& key,
                                            const std::string& version) const {
  ARROW_ASSIGN_OR_RAISE(auto past, List(key));
  return TheOneOf(std::move(past), key, version);
}

arrow::Result<S3PastObject> S3History::FindCopy(const std::string& key,
                                                const std::string& version) const {
  ARROW_ASSIGN_OR_RAISE(auto past, ListAll(key));
  return TheOneOf(std::move(past), key, version);
}

arrow::Status S3History::Hold(const std::string& key, const std::string& version,
                              Timestamp until) const {
  ARROW_ASSIGN_OR_RAISE(const S3PastObject entry, Find(key, version));
  if (entry.retired.held_until >= until) return arrow::Status::OK();
  const S3HistoryName mark{.kind = S3HistoryName::Kind::kHeld, .time = until, .version = version};
  const std::string name = FolderOf(key) + mark.ToString();
  ARROW_RETURN_NOT_OK(bucket_->client().Write(bucket_->Whole(name), {}, {}).status());
  // A purge may have looked for holds just before.
  if (const auto kept = Find(key, version); !kept.ok()) {
    std::ignore = Remove(name);
    return kept.status();
  }
  return arrow::Status::OK();
}

arrow::Status S3History::Purge(const RetiredObject& retired) const {
  const std::string& key = retired.object.key;
  const std::string name = NameOfEntry(retired.entry);
  ARROW_ASSIGN_OR_RAISE(const auto objects, ObjectsOf(key));
  const size_t folder_bytes = bucket_->Whole(FolderOf(key)).size();
  std::vector<std::string> marks;
  bool has_another = false;  // Of the same version.
  for (const S3Object& object : objects) {
    const auto found = ParseS3HistoryName(std::string_view(object.key).substr(folder_bytes));
    if (!found || found->version != retired.object.version) continue;
    if (found->kind == S3HistoryName::Kind::kHeld) {
      if (found->time > retired.held_until) return arrow::Status::OK();
      marks.push_back(object.key);
    } else if (found->kind == S3HistoryName::Kind::kMoved) {
      if (found->time == retired.retired) marks.push_back(object.key);
    } else if (bucket_->KeyOf(object.key) != name) {
      has_another = true;
    }
  }
  ARROW_RETURN_NOT_OK(Remove(name));
  for (const std::string& mark : marks) {
    const auto found = ParseS3HistoryName(std::string_view(mark).substr(folder_bytes));
    if (has_another && found->kind == S3HistoryName::Kind::kHeld) continue;
    ARROW_RETURN_NOT_OK(bucket_->client().Delete(mark, {}));
  }
  return arrow::Status::OK();
}

std::unique_ptr<KeyLister> S3History::ListKeys(const ListOptions& options) const {
  return std::make_unique<S3RetiredKeyLister>(bucket_, options);
}

}  // namespace hangar
