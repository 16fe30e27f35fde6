#include "client/listings.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include <arrow/flight/client.h>
#include <arrow/flight/types.h>

#include "client/action_stream.h"
#include "client/requests.h"
#include "client/version_requests.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;

// Flight's own client gathers a whole ListFlights answer, so a listing asks for pages of this size.
constexpr int64_t kListPage = 1000;

template <typename Item>
class PagedListing final : public Listing<Item> {
 public:
  // Gets the page for which the criteria ask.
  using Fetch = std::function<arrow::Result<std::deque<Item>>(const std::string& criteria)>;

  PagedListing(ListOptions options, Fetch fetch)
      : options_(std::move(options)),
        fetch_(std::move(fetch)),
        after_(options_.after),
        remaining_(options_.limit) {}

  arrow::Result<std::optional<Item>> Next() override {
    if (page_.empty() && !ended_) ARROW_RETURN_NOT_OK(FetchPage());
    if (page_.empty()) return std::nullopt;
    std::optional<Item> next = std::move(page_.front());
    page_.pop_front();
    return next;
  }

 private:
  arrow::Status FetchPage() {
    const int64_t limit = std::min(kListPage, remaining_.value_or(kListPage));
    if (limit <= 0) {
      ended_ = true;
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(page_, fetch_(ListCriteria(options_, after_, limit)));
    const auto count = static_cast<int64_t>(page_.size());
    if (remaining_) *remaining_ -= count;
    // A server that does not know the limit has sent everything at once.
    ended_ = count != limit;
    if (!page_.empty()) after_ = page_.back().name;
    return arrow::Status::OK();
  }

  const ListOptions options_;
  const Fetch fetch_;
  std::string after_;
  std::optional<int64_t> remaining_;
  std::deque<Item> page_;
  bool ended_ = false;
};

arrow::Result<std::deque<DatasetInfo>> FetchDatasets(Servers& servers,
                                                     const std::string& criteria) {
  const flight::Criteria request(criteria);
  ARROW_ASSIGN_OR_RAISE(const auto listing, servers.Ask([&](flight::FlightClient& client) {
    return client.ListFlights({}, request);
  }));
  std::deque<DatasetInfo> page;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto info, listing->Next());
    if (info == nullptr) return page;
    ARROW_ASSIGN_OR_RAISE(DatasetInfo dataset, ParseFlightInfo(*info));
    page.push_back(std::move(dataset));
  }
}

arrow::Result<std::deque<DroppedDataset>> FetchDropped(Servers& servers,
                                                       const std::string& criteria) {
  ARROW_ASSIGN_OR_RAISE(const auto results,
                        RunAction(servers, Repeat::kAlways, "list_trash", criteria));
  std::deque<DroppedDataset> page;
  for (const std::string& result : results) {
    ARROW_ASSIGN_OR_RAISE(DroppedDataset dropped, ParseDroppedDataset(result));
    page.push_back(std::move(dropped));
  }
  return page;
}

// A server that dies takes what it was reading with it, so another one begins again, and what was
// told already, which is in the order of the names, is passed over.
class StreamedChecks final : public CheckListing {
 public:
  StreamedChecks(std::shared_ptr<Servers> servers, std::string name)
      : servers_(std::move(servers)), name_(std::move(name)) {}

  arrow::Result<std::optional<CheckedDataset>> Next() override {
    while (true) {
      if (results_ == nullptr) ARROW_RETURN_NOT_OK(Start());
      auto result = results_->Next();
      if (!result.ok()) {
        if (!GoesOn(result.status())) return result.status();
        continue;
      }
      if (!*result) return std::nullopt;
      ARROW_ASSIGN_OR_RAISE(CheckedDataset checked, ParseCheckedDataset(**result));
      if (last_ && checked.name <= *last_) continue;
      last_ = checked.name;
      lost_ = 0;
      return checked;
    }
  }

 private:
  arrow::Status Start() {
    const std::string body = name_.empty() ? "" : DatasetBody(name_);
    ARROW_ASSIGN_OR_RAISE(results_, servers_->Run(Repeat::kAlways, [&](Attempt& attempt) {
      uri_ = attempt.connection->uri();
      return ActionStream::Start(attempt, "check_dataset", body);
    }));
    return arrow::Status::OK();
  }

  bool GoesOn(const arrow::Status& status) {
    results_.reset();
    if (!IsOfTheServer(status) || !servers_->several() || ++lost_ > kLostMax) return false;
    servers_->NoteFailure(uri_);
    return true;
  }

  static constexpr int kLostMax = 4;  // Streams that broke off, one after the other.

  const std::shared_ptr<Servers> servers_;
  const std::string name_;
  std::unique_ptr<ActionStream> results_;
  std::string uri_;  // Of the server that sends `results_`.
  std::optional<std::string> last_;
  int lost_ = 0;  // Since the last result.
};

}  // namespace

std::unique_ptr<DatasetListing> MakeDatasetListing(std::shared_ptr<Servers> servers,
                                                   ListOptions options) {
  return std::make_unique<PagedListing<DatasetInfo>>(
      std::move(options), [servers = std::move(servers)](const std::string& criteria) {
        return FetchDatasets(*servers, criteria);
      });
}

std::unique_ptr<TrashListing> MakeTrashListing(std::shared_ptr<Servers> servers,
                                               ListOptions options) {
  return std::make_unique<PagedListing<DroppedDataset>>(
      std::move(options), [servers = std::move(servers)](const std::string& criteria) {
        return FetchDropped(*servers, criteria);
      });
}

std::unique_ptr<CheckListing> MakeCheckListing(std::shared_ptr<Servers> servers, std::string name) {
  return std::make_unique<StreamedChecks>(std::move(servers), std::move(name));
}

}  // namespace hangar::client
