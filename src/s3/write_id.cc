#include "s3/write_id.h"

#include <format>
#include <random>

namespace hangar {
namespace {

constexpr size_t kWriteIdDigits = 32;
constexpr char kWriteIdEnd = ':';

}  // namespace

std::string NewWriteId() {
  std::random_device random;
  std::string id;
  while (id.size() < kWriteIdDigits) id += std::format("{:08x}", random());
  return id;
}

std::string UploadIdOf(const std::string& write_id, const std::string& stores_upload_id) {
  return write_id + kWriteIdEnd + stores_upload_id;
}

std::string WriteIdOf(const std::string& upload_id) {
  const bool is_ours = upload_id.size() > kWriteIdDigits &&
                       upload_id[kWriteIdDigits] == kWriteIdEnd &&
                       upload_id.find_first_not_of("0123456789abcdef") == kWriteIdDigits;
  return is_ours ? upload_id.substr(0, kWriteIdDigits) : std::string();
}

std::string StoresUploadId(const std::string& upload_id) {
  return WriteIdOf(upload_id).empty() ? upload_id : upload_id.substr(kWriteIdDigits + 1);
}

}  // namespace hangar
