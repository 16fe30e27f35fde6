#include "metrics/process_metrics.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/metrics.h"

namespace hangar {
namespace {

double ValueOf(Metrics& metrics, const std::string& name) {
  const std::string text = metrics.Text();
  const size_t line = text.find("\n" + name + " ");
  EXPECT_NE(line, std::string::npos) << name;
  return std::stod(text.substr(line + name.size() + 2));
}

TEST(ProcessMetrics, AreThoseOfThisProcess) {
  Metrics metrics;
  AddProcessMetrics(&metrics);
  const double now = static_cast<double>(std::chrono::duration_cast<std::chrono::seconds>(
                                             std::chrono::system_clock::now().time_since_epoch())
                                             .count());
  EXPECT_NEAR(ValueOf(metrics, "process_start_time_seconds"), now, 600);
  EXPECT_GT(ValueOf(metrics, "process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(ValueOf(metrics, "process_virtual_memory_bytes"),
            ValueOf(metrics, "process_resident_memory_bytes"));
  EXPECT_GE(ValueOf(metrics, "process_threads"), 1);
  EXPECT_GT(ValueOf(metrics, "process_max_fds"), ValueOf(metrics, "process_open_fds"));
  EXPECT_GT(ValueOf(metrics, "process_cpu_seconds_total"), 0);
}

TEST(ProcessMetrics, CountTheFileDescriptorsThatAreOpen) {
  Metrics metrics;
  AddProcessMetrics(&metrics);
  const double before = ValueOf(metrics, "process_open_fds");
  const int opened = ::dup(0);
  EXPECT_EQ(ValueOf(metrics, "process_open_fds"), before + 1);
  ::close(opened);
  EXPECT_EQ(ValueOf(metrics, "process_open_fds"), before);
}

class Listener {
 public:
  Listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    socklen_t length = sizeof(address_);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address_), &length), 0);
  }
  ~Listener() { ::close(socket_); }

  std::string uri() const { return "grpc://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }
  int Connect() const {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)), 0);
    return client;
  }
  int Accept() const { return ::accept(socket_, nullptr, nullptr); }

 private:
  const int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address_{};
};

TEST(Connections, AreThoseThatWereAcceptedAtTheAddress) {
  const Listener listener;
  const Listener other;
  Metrics metrics;
  AddConnections(&metrics, "flight", listener.uri());
  const std::string name = R"(hangar_connections{door="flight"})";
  EXPECT_EQ(ValueOf(metrics, name), 0);
  const int client = listener.Connect();
  const int accepted = listener.Accept();
  const int elsewhere = other.Connect();
  const int accepted_elsewhere = other.Accept();
  EXPECT_EQ(ValueOf(metrics, name), 1);
  for (const int socket : {client, accepted, elsewhere, accepted_elsewhere}) ::close(socket);
  EXPECT_EQ(ValueOf(metrics, name), 0);
}

TEST(Connections, OfAUnixSocketAreCountedByItsPath) {
  std::string folder = ::testing::TempDir() + "connections.XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listening, 8), 0);
  Metrics metrics;
  AddConnections(&metrics, "flight", "grpc+unix://" + path);
  const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const int accepted = ::accept(listening, nullptr, nullptr);
  EXPECT_EQ(ValueOf(metrics, R"(hangar_connections{door="flight"})"), 1);
  for (const int socket : {client, accepted, listening}) ::close(socket);
  std::filesystem::remove_all(folder);
}

TEST(BuildInfo, NamesWhatTheProgramIsMadeOf) {
  Metrics metrics;
  AddBuildInfo(&metrics, {.version = "1.2", .arrow = "25", .grpc = "1.51", .compiler = "GNU 16"});
  EXPECT_THAT(metrics.Text(),
              ::testing::HasSubstr("hangar_build_info{version=\"1.2\",arrow=\"25\",grpc="
                                   "\"1.51\",compiler=\"GNU 16\"} 1\n"));
}

}  // namespace
}  // namespace hangar
