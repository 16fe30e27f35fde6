#include "access/https_get.h"

#include <memory>

#include <curl/curl.h>

#include "base/error.h"
#include "base/system_authorities.h"

namespace hangar {
namespace {

constexpr size_t kBodyBytesMax = 1 << 20;
constexpr long kTimeoutSeconds = 10;
constexpr long kConnectSeconds = 5;

size_t TakeBody(char* data, size_t /*one*/, size_t size, void* target) {
  auto* const body = static_cast<std::string*>(target);
  if (body->size() + size > kBodyBytesMax) return CURL_WRITEFUNC_ERROR;
  body->append(data, size);
  return size;
}

int Continue(void* is_stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(is_stopping)->load() ? 1 : 0;
}

bool SetUp(CURL* curl, const std::string& address, std::string& body,
           const std::atomic<bool>& is_stopping) {
  const auto set = [curl](CURLoption option, auto value) {
    return curl_easy_setopt(curl, option, value) == CURLE_OK;
  };
  const std::string authorities = SystemAuthorities();
  return set(CURLOPT_URL, address.c_str()) && set(CURLOPT_PROTOCOLS_STR, "https") &&
         set(CURLOPT_FOLLOWLOCATION, 0L) && set(CURLOPT_SSL_VERIFYPEER, 1L) &&
         set(CURLOPT_SSL_VERIFYHOST, 2L) &&
         set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) &&
         set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds) && set(CURLOPT_TIMEOUT, kTimeoutSeconds) &&
         set(CURLOPT_NOSIGNAL, 1L) && set(CURLOPT_FAILONERROR, 1L) &&
         set(CURLOPT_USERAGENT, "hangar") && set(CURLOPT_WRITEFUNCTION, &TakeBody) &&
         set(CURLOPT_WRITEDATA, &body) && set(CURLOPT_NOPROGRESS, 0L) &&
         set(CURLOPT_XFERINFOFUNCTION, &Continue) &&
         set(CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&is_stopping)) &&
         (authorities.empty() || set(CURLOPT_CAINFO, authorities.c_str()));
}

struct Cleanup {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

}  // namespace

arrow::Result<std::string> HttpsGet(const std::string& address,
                                    const std::atomic<bool>& is_stopping) {
  // Thread-safe since libcurl 7.84.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, Cleanup> curl(started == CURLE_OK ? curl_easy_init() : nullptr);
  std::string body;
  if (!curl || !SetUp(curl.get(), address, body, is_stopping)) {
    return MakeError(ErrorKind::kUnavailable, "HTTPS cannot be spoken here");
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) {
    return Error(ErrorKind::kUnavailable, "the answer has more than {} bytes", kBodyBytesMax);
  }
  if (code != CURLE_OK) {
    return Error(ErrorKind::kUnavailable, "no answer: {}", curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return body;
  return Error(ErrorKind::kUnavailable, "the answer has the code {}", status);
}

}  // namespace hangar
