#pragma once

#include <memory>
#include <optional>
#include <string>

#include <arrow/flight/type_fwd.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "client/connection.h"

namespace hangar::client {

/// The results of one action, one by one as they arrive. One thread at a time.
class ActionStream {
 public:
  /// Starts the action and waits for its first result or its end.
  static arrow::Result<std::unique_ptr<ActionStream>> Start(std::shared_ptr<Connection> connection,
                                                            const std::string& action,
                                                            std::string body);

  ~ActionStream();

  /// The next result, or nullopt at the end.
  arrow::Result<std::optional<std::string>> Next();

 private:
  ActionStream();

  std::shared_ptr<Connection> connection_;
  std::unique_ptr<arrow::flight::ResultStream> results_;  // Null once it has ended.
  std::unique_ptr<arrow::flight::Result> first_;          // Until it is handed out.
};

/// Runs an action to its end. Its first result, empty when it has none.
arrow::Result<std::string> RunAction(const std::shared_ptr<Connection>& connection,
                                     const std::string& action, std::string body);

}  // namespace hangar::client
