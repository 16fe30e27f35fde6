#include "admin/check_secret_file.h"

#include <sys/stat.h>

#include <format>

#include "base/text.h"

namespace hangar {
namespace {

void SayModes(std::string_view setting, const std::string& path, mode_t unwanted,
              std::string_view may, Findings& findings) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return;
  if ((info.st_mode & unwanted) == 0) return;
  findings.Problem(setting, std::format("others on this machine may {} {}", may, Quoted(path)),
                   std::format("chmod o-rwx,g-w {}", Quoted(path)));
}

}  // namespace

void CheckSecretFile(std::string_view setting, const std::string& path, Findings& findings) {
  // A group that may read is how a server that is not root is given a key.
  SayModes(setting, path, S_IRWXO | S_IWGRP, "read or change", findings);
}

void CheckTrustedFile(std::string_view setting, const std::string& path, Findings& findings) {
  SayModes(setting, path, S_IWOTH | S_IWGRP, "change", findings);
}

}  // namespace hangar
