#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/unique_descriptor.h"

namespace hangar {

struct ScriptedRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< By their names in small letters.
  std::string body;
};

/// What goes back over the connection, as it is, and what happens to that then.
struct ScriptedAnswer {
  enum class Then { kKeep, kClose, kReset };
  std::string bytes;
  Then then = Then::kKeep;
};

/// A whole answer. `headers` are lines, each with "\r\n".
ScriptedAnswer Answer(int status, const std::string& body = "", const std::string& headers = "");

/// An HTTP server of this process that answers as a test says, also as no server should.
class ScriptedServer {
 public:
  /// Called for one request at a time.
  using Script = std::function<ScriptedAnswer(const ScriptedRequest&)>;

  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const;  ///< "http://127.0.0.1:PORT"
  std::vector<ScriptedRequest> requests() HANGAR_EXCLUDES(mutex_);
  int connections() HANGAR_EXCLUDES(mutex_);  ///< How many there have been.

 private:
  void Accept();
  ScriptedAnswer Ask(const ScriptedRequest& request) HANGAR_EXCLUDES(script_mutex_);
  void Serve(int connection);

  Mutex script_mutex_;
  const Script script_ HANGAR_GUARDED_BY(script_mutex_);
  UniqueDescriptor listener_;
  int port_ = 0;
  Mutex mutex_;
  std::vector<ScriptedRequest> requests_ HANGAR_GUARDED_BY(mutex_);
  std::vector<UniqueDescriptor> connections_ HANGAR_GUARDED_BY(mutex_);
  std::vector<std::jthread> servers_ HANGAR_GUARDED_BY(mutex_);
  std::jthread acceptor_;
};

}  // namespace hangar
