#include "s3/http_exchange.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <curl/curl.h>

#include "base/system_authorities.h"

namespace hangar {
namespace {

constexpr size_t kIdleHandlesMax = 64;
constexpr long kReceiveBufferBytes = 512 << 10;
constexpr long kSendBufferBytes = 512 << 10;

// One request and its answer, as libcurl's functions see them.
struct Transfer {
  const S3HttpRequest* request;
  S3HttpResponse* response;
  CURL* curl;
  int sent = 0;
};

bool IsSuccess(long status) { return status >= 200 && status < 300; }

// Called each time that a request is about to leave.
int CountSending(void* context, char*, char*, int, int) {
  auto* const transfer = static_cast<Transfer*>(context);
  return ++transfer->sent == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

size_t TakeHeader(char* data, size_t /*one*/, size_t size, void* context) {
  auto& headers = static_cast<Transfer*>(context)->response->headers;
  std::string_view line(data, size);
  if (line.starts_with("HTTP/")) headers.clear();
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) {
    line.remove_suffix(1);
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  const size_t first = line.find_first_not_of(" \t", colon + 1);
  headers[std::move(name)] = first == std::string_view::npos ? "" : line.substr(first);
  return size;
}

size_t TakeBody(char* data, size_t /*one*/, size_t size, void* context) {
  auto& [request, response, curl, sent] = *static_cast<Transfer*>(context);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (IsSuccess(status) && request->sink != nullptr) {
    if (size > request->sink_bytes - response->sink_bytes) return CURL_WRITEFUNC_ERROR;
    std::copy_n(data, size, request->sink + response->sink_bytes);
    response->sink_bytes += size;
    return size;
  }
  const size_t room = request->body_bytes_max - response->body.size();
  if (size > room && IsSuccess(status)) return CURL_WRITEFUNC_ERROR;
  response->body.append(data, std::min(size, room));
  return size;
}

S3HttpResponse::Fault FaultOf(CURLcode code, const Transfer& transfer) {
  switch (code) {
    case CURLE_OK:
      return S3HttpResponse::Fault::kNone;
    case CURLE_WRITE_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_URL_MALFORMAT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_AUTH_ERROR:
      return S3HttpResponse::Fault::kRefused;
    default:
      return transfer.sent > 0 ? S3HttpResponse::Fault::kLost : S3HttpResponse::Fault::kNotSent;
  }
}

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  bool Add(const std::string& header) {
    curl_slist* const longer = curl_slist_append(list_, header.c_str());
    if (longer != nullptr) list_ = longer;
    return longer != nullptr;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

class Options {
 public:
  explicit Options(CURL* curl) : curl_(curl) {}

  template <typename Value>
  void Set(CURLoption option, Value value) {
    if (code_ == CURLE_OK) code_ = curl_easy_setopt(curl_, option, value);
  }
  CURLcode code() const { return code_; }

 private:
  CURL* const curl_;
  CURLcode code_ = CURLE_OK;
};

void SetConnection(const HttpSettings& settings, Options& options) {
  options.Set(CURLOPT_NOSIGNAL, 1L);
  options.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  options.Set(CURLOPT_FOLLOWLOCATION, 0L);
  options.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
  options.Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  options.Set(CURLOPT_TCP_KEEPALIVE, 1L);
  options.Set(CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  options.Set(CURLOPT_UPLOAD_BUFFERSIZE, kSendBufferBytes);
  options.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  options.Set(CURLOPT_USERAGENT, "hangar");
  options.Set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.Set(CURLOPT_SSL_VERIFYHOST, 2L);
  options.Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.use_proxy) options.Set(CURLOPT_PROXY, "");
  const std::string authorities = settings.ca_file.empty() ? SystemAuthorities() : settings.ca_file;
  if (!authorities.empty()) options.Set(CURLOPT_CAINFO, authorities.c_str());
}

void SetMethod(const S3HttpRequest& request, Options& options) {
  if (request.method == "HEAD") {
    options.Set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    options.Set(CURLOPT_POST, 1L);
    options.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    options.Set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    options.Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  } else {
    options.Set(CURLOPT_HTTPGET, 1L);
    options.Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

// Fills `headers`, which libcurl reads until the request is over. False when not all of them are
// there: the request would be another one, a write without its condition.
bool SetHeaders(const S3HttpRequest& request, HeaderList& headers, Options& options) {
  bool is_complete = headers.Add("Expect:");  // A wait of a second where the server knows it not.
  for (const std::string& header : request.headers) {
    is_complete = is_complete && headers.Add(header);
  }
  if (request.signature != nullptr) {
    const auto& [credentials, region, service] = *request.signature;
    options.Set(CURLOPT_AWS_SIGV4, ("aws:amz:" + region + ":" + service).c_str());
    options.Set(CURLOPT_USERNAME, credentials.access_key_id.c_str());
    options.Set(CURLOPT_PASSWORD, credentials.secret_access_key.c_str());
    if (!credentials.session_token.empty()) {
      is_complete =
          is_complete && headers.Add("x-amz-security-token: " + credentials.session_token);
    }
  }
  options.Set(CURLOPT_HTTPHEADER, headers.get());
  return is_complete;
}

void SetTransfer(Transfer& transfer, Options& options) {
  options.Set(CURLOPT_PREREQFUNCTION, &CountSending);
  options.Set(CURLOPT_PREREQDATA, &transfer);
  options.Set(CURLOPT_HEADERFUNCTION, &TakeHeader);
  options.Set(CURLOPT_HEADERDATA, &transfer);
  options.Set(CURLOPT_WRITEFUNCTION, &TakeBody);
  options.Set(CURLOPT_WRITEDATA, &transfer);
}

}  // namespace

struct HttpConnections::Handle {
  CURL* curl = nullptr;
  ~Handle() { curl_easy_cleanup(curl); }
};

std::string S3HttpResponse::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpConnections::HttpConnections(HttpSettings settings) : settings_(std::move(settings)) {}
HttpConnections::~HttpConnections() = default;

std::unique_ptr<HttpConnections::Handle> HttpConnections::Take() {
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  // Thread-safe since libcurl 7.84.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto handle = std::make_unique<Handle>();
  if (started == CURLE_OK) handle->curl = curl_easy_init();
  return handle;
}

void HttpConnections::GiveBack(std::unique_ptr<Handle> handle) {
  // Forgets all that belonged to the request, and keeps the connection.
  curl_easy_reset(handle->curl);
  const MutexLock lock(mutex_);
  if (idle_.size() < kIdleHandlesMax) idle_.push_back(std::move(handle));
}

S3HttpResponse HttpConnections::Exchange(const S3HttpRequest& request) {
  S3HttpResponse response;
  std::unique_ptr<Handle> handle = Take();
  if (handle->curl == nullptr) {
    response.fault = S3HttpResponse::Fault::kRefused;
    response.fault_text = "libcurl cannot be started";
    return response;
  }
  Transfer transfer{.request = &request, .response = &response, .curl = handle->curl};
  HeaderList headers;
  Options options(handle->curl);
  std::array<char, CURL_ERROR_SIZE> details{};
  options.Set(CURLOPT_ERRORBUFFER, details.data());
  SetConnection(settings_, options);
  SetTransfer(transfer, options);
  options.Set(CURLOPT_URL, request.url.c_str());
  const auto stall =
      request.stall_timeout.count() > 0 ? request.stall_timeout : settings_.stall_timeout;
  options.Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall.count()));
  SetMethod(request, options);
  CURLcode code = SetHeaders(request, headers, options) ? options.code() : CURLE_OUT_OF_MEMORY;
  if (code == CURLE_OK) code = curl_easy_perform(handle->curl);
  long status = 0;
  curl_easy_getinfo(handle->curl, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  response.fault = FaultOf(code, transfer);
  if (code != CURLE_OK) {
    response.fault_text = details[0] != '\0' ? details.data() : curl_easy_strerror(code);
  }
  GiveBack(std::move(handle));
  return response;
}

std::optional<Timestamp> ParseHttpDate(const std::string& text) {
  const time_t seconds = curl_getdate(text.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

bool IsLoopbackUrl(const std::string& url) {
  CURLU* const parsed = curl_url();
  char* text = nullptr;
  std::string host;
  if (parsed != nullptr && curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_HOST, &text, 0) == CURLUE_OK) {
    host = text;
  }
  curl_free(text);
  curl_url_cleanup(parsed);
  return host == "localhost" || host.starts_with("127.") || host == "[::1]";
}

}  // namespace hangar
