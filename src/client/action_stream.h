#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/flight/type_fwd.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "client/servers.h"

namespace hangar::client {

/// The results of one action at one server, one by one as they arrive. One thread at a time.
class ActionStream {
 public:
  /// Starts the action and waits for its first result or its end.
  static arrow::Result<std::unique_ptr<ActionStream>> Start(Attempt& attempt,
                                                            const std::string& action,
                                                            const std::string& body);

  ~ActionStream();

  /// The next result, or nullopt at the end.
  arrow::Result<std::optional<std::string>> Next();

 private:
  ActionStream();

  std::shared_ptr<Connection> connection_;
  std::unique_ptr<arrow::flight::ResultStream> results_;  // Null once it has ended.
  std::unique_ptr<arrow::flight::Result> first_;          // Until it is handed out.
};

/// Runs an action to its end, at the first of the servers that answers. Its results.
arrow::Result<std::vector<std::string>> RunAction(Servers& servers, Repeat repeat,
                                                  const std::string& action,
                                                  const std::string& body);

/// The same of an action with one result, which is empty when there is none.
arrow::Result<std::string> RunShortAction(Servers& servers, Repeat repeat,
                                          const std::string& action, const std::string& body);

}  // namespace hangar::client
