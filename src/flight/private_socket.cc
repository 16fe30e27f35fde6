#include "flight/private_socket.h"

#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/error.h"

namespace hangar {
namespace {

constexpr std::string_view kFolderName = "/hangar-XXXXXX";
constexpr std::string_view kSocketName = "/flight";

// gRPC reads the path as a part of a URI, and the system has little room for it.
bool IsFit(std::string_view folder) {
  constexpr size_t kRoom = sizeof(sockaddr_un::sun_path) - 1;
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
  return folder.starts_with('/') &&
         folder.size() + kFolderName.size() + kSocketName.size() <= kRoom &&
         folder.find_first_not_of(kPlain) == std::string_view::npos;
}

}  // namespace

arrow::Result<std::unique_ptr<PrivateSocket>> PrivateSocket::Make() {
  // The first is what the system's administrator wants, the last are there also where all of the
  // file system is read-only.
  const char* const wanted = ::getenv("TMPDIR");
  for (const std::string_view parent :
       {std::string_view(wanted != nullptr ? wanted : ""), std::string_view("/tmp"),
        std::string_view("/run"), std::string_view("/dev/shm")}) {
    if (!IsFit(parent)) continue;
    std::string folder = std::string(parent) + std::string(kFolderName);
    if (::mkdtemp(folder.data()) != nullptr) {
      return std::unique_ptr<PrivateSocket>(new PrivateSocket(std::move(folder)));
    }
  }
  return MakeError(ErrorKind::kFailedPrecondition,
                   "the server needs a folder for a moment at its start, and can write neither to "
                   "TMPDIR nor to /tmp, /run or /dev/shm");
}

PrivateSocket::PrivateSocket(std::string folder)
    : folder_(std::move(folder)), path_(folder_ + std::string(kSocketName)) {}

PrivateSocket::~PrivateSocket() {
  ::unlink(path_.c_str());
  ::rmdir(folder_.c_str());
}

}  // namespace hangar
