#include "client/action_stream.h"

#include <utility>

#include <arrow/buffer.h>
#include <arrow/flight/client.h>
#include <arrow/flight/types.h>

namespace hangar::client {

namespace flight = arrow::flight;

namespace {

// As far as a call can come when there may be no connection: to its first result.
struct Started {
  std::unique_ptr<flight::ResultStream> results;
  std::unique_ptr<flight::Result> first;
};

std::string TextOf(const flight::Result& result) {
  return result.body == nullptr ? std::string() : result.body->ToString();
}

}  // namespace

ActionStream::ActionStream() = default;
ActionStream::~ActionStream() = default;

arrow::Result<std::unique_ptr<ActionStream>> ActionStream::Start(Attempt& attempt,
                                                                 const std::string& action,
                                                                 const std::string& body) {
  const flight::Action request(action, arrow::Buffer::FromString(body));
  ARROW_ASSIGN_OR_RAISE(Started started,
                        attempt.connection->Run(
                            [&](flight::FlightClient& client) -> arrow::Result<Started> {
                              Started running;
                              ARROW_ASSIGN_OR_RAISE(running.results, client.DoAction(request));
                              ARROW_ASSIGN_OR_RAISE(running.first, running.results->Next());
                              return running;
                            },
                            &attempt.not_begun));
  std::unique_ptr<ActionStream> stream(new ActionStream());
  stream->connection_ = attempt.connection;
  if (started.first != nullptr) stream->results_ = std::move(started.results);
  stream->first_ = std::move(started.first);
  return stream;
}

arrow::Result<std::optional<std::string>> ActionStream::Next() {
  if (results_ == nullptr) return std::nullopt;
  std::unique_ptr<flight::Result> next = std::move(first_);
  if (next == nullptr) {
    auto read = results_->Next();
    if (!read.ok()) return connection_->Failure(read.status());
    next = *std::move(read);
  }
  if (next != nullptr) return TextOf(*next);
  results_.reset();
  return std::nullopt;
}

arrow::Result<std::vector<std::string>> RunAction(Servers& servers, Repeat repeat,
                                                  const std::string& action,
                                                  const std::string& body) {
  using Results = std::vector<std::string>;
  return servers.Run(repeat, [&](Attempt& attempt) -> arrow::Result<Results> {
    ARROW_ASSIGN_OR_RAISE(const auto stream, ActionStream::Start(attempt, action, body));
    Results results;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto result, stream->Next());
      if (!result) return results;
      results.push_back(*std::move(result));
    }
  });
}

arrow::Result<std::string> RunShortAction(Servers& servers, Repeat repeat,
                                          const std::string& action, const std::string& body) {
  ARROW_ASSIGN_OR_RAISE(auto results, RunAction(servers, repeat, action, body));
  return results.empty() ? std::string() : std::move(results.front());
}

}  // namespace hangar::client
