#include "s3/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <format>
#include <optional>
#include <sstream>

namespace hangar {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

// Reads what one connection sends, request by request.
class RequestReader {
 public:
  explicit RequestReader(int connection) : connection_(connection) {}

  std::optional<ScriptedRequest> Next() {
    while (!buffer_.contains(kHeadEnd)) {
      if (!Receive()) return std::nullopt;
    }
    const size_t head = buffer_.find(kHeadEnd);
    ScriptedRequest request = ParseHead(buffer_.substr(0, head));
    const size_t body = head + kHeadEnd.size();
    const size_t length = std::strtoull(request.headers["content-length"].c_str(), nullptr, 10);
    while (buffer_.size() < body + length) {
      if (!Receive()) return std::nullopt;
    }
    request.body = buffer_.substr(body, length);
    buffer_.erase(0, body + length);
    return request;
  }

 private:
  static ScriptedRequest ParseHead(const std::string& head) {
    ScriptedRequest request;
    std::istringstream lines(head);
    lines >> request.method >> request.target;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      const size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      const size_t first = std::min(line.find_first_not_of(' ', colon + 1), line.size());
      request.headers[name] = line.substr(first, line.find('\r') - first);
    }
    return request;
  }

  bool Receive() {
    std::string chunk(64 << 10, '\0');
    const ssize_t received = ::recv(connection_, chunk.data(), chunk.size(), 0);
    if (received <= 0) return false;
    buffer_.append(chunk, 0, static_cast<size_t>(received));
    return true;
  }

  const int connection_;
  std::string buffer_;
};

}  // namespace

ScriptedAnswer Answer(int status, const std::string& body, const std::string& headers) {
  return {.bytes = std::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status,
                               body.size(), headers, body)};
}

ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, length) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), generic, &length) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  std::vector<std::jthread> servers;
  {
    const MutexLock lock(mutex_);
    for (const UniqueDescriptor& connection : connections_) {
      ::shutdown(connection.get(), SHUT_RDWR);
    }
    servers.swap(servers_);
  }
}

std::string ScriptedServer::url() const { return std::format("http://127.0.0.1:{}", port_); }

std::vector<ScriptedRequest> ScriptedServer::requests() {
  const MutexLock lock(mutex_);
  return requests_;
}

int ScriptedServer::connections() {
  const MutexLock lock(mutex_);
  return static_cast<int>(connections_.size());
}

void ScriptedServer::Accept() {
  while (true) {
    UniqueDescriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.is_open()) return;
    const int descriptor = connection.get();
    const MutexLock lock(mutex_);
    // Closed with the server only, so that no other one gets the same number meanwhile.
    connections_.push_back(std::move(connection));
    servers_.emplace_back([this, descriptor] { Serve(descriptor); });
  }
}

ScriptedAnswer ScriptedServer::Ask(const ScriptedRequest& request) {
  const MutexLock lock(script_mutex_);
  return script_(request);
}

void ScriptedServer::Serve(int connection) {
  RequestReader reader(connection);
  while (const auto request = reader.Next()) {
    {
      const MutexLock lock(mutex_);
      requests_.push_back(*request);
    }
    const ScriptedAnswer answer = Ask(*request);
    for (size_t sent = 0; sent < answer.bytes.size();) {
      const ssize_t count =
          ::send(connection, answer.bytes.data() + sent, answer.bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<size_t>(count);
    }
    if (answer.then == ScriptedAnswer::Then::kKeep) continue;
    if (answer.then == ScriptedAnswer::Then::kReset) {
      // Disconnecting a TCP socket sends a reset.
      sockaddr unspecified{};
      unspecified.sa_family = AF_UNSPEC;
      ::connect(connection, &unspecified, sizeof(unspecified));
    } else {
      ::shutdown(connection, SHUT_RDWR);
    }
    return;
  }
}

}  // namespace hangar
