#include "s3/credential_services.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "base/error.h"
#include "s3/http_exchange.h"
#include "s3/uri_encoding.h"

namespace hangar {
namespace {

constexpr std::chrono::milliseconds kNearConnectTimeout{1000};
constexpr std::chrono::seconds kStallTimeout{10};
constexpr int kAttempts = 3;

arrow::Status None(const std::string& service, const std::string& why) {
  return Error(ErrorKind::kUnavailable, "{} gives no S3 credentials: {}", service, why);
}

// The body of an answer of 200. What went wrong otherwise is said without the body, which is not
// ours to show.
arrow::Result<std::string> Ask(HttpConnections& connections, const S3HttpRequest& request,
                               const std::string& service) {
  S3HttpResponse response;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    response = connections.Exchange(request);
    const bool is_transient = response.status >= 500 || response.status == 429;
    if (response.fault == S3HttpResponse::Fault::kNone && !is_transient) break;
  }
  if (response.fault != S3HttpResponse::Fault::kNone) return None(service, response.fault_text);
  if (response.status != 200) {
    return None(service, std::format("it answers with the code {}", response.status));
  }
  return std::move(response.body);
}

arrow::Result<std::string> ReadToken(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (token.empty()) {
    return Error(ErrorKind::kFailedPrecondition,
                 "the token file '{}' for S3 credentials is missing, empty or unreadable", path);
  }
  if (token.contains('\n') || token.contains('\r')) {
    return Error(ErrorKind::kFailedPrecondition,
                 "the token file '{}' for S3 credentials has more than one line", path);
  }
  return token;
}

arrow::Result<S3Credentials> Checked(S3Credentials credentials, const std::string& expiration,
                                     const std::string& service) {
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return None(service, "its answer has none in it");
  }
  if (!expiration.empty()) {
    credentials.expires = ParseTimestamp(expiration);
    if (!credentials.expires) return None(service, "its answer has an expiration that is none");
  }
  return credentials;
}

// The document that the container's endpoint and the metadata service answer with.
arrow::Result<S3Credentials> FromJson(const std::string& text, const std::string& service) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return None(service, "its answer is no JSON object");
  const auto field = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return Checked({.access_key_id = field("AccessKeyId"),
                  .secret_access_key = field("SecretAccessKey"),
                  .session_token = field("Token")},
                 field("Expiration"), service);
}

class WebIdentityCredentials : public CredentialSource {
 public:
  explicit WebIdentityCredentials(WebIdentity identity)
      : identity_(std::move(identity)),
        connections_({.ca_file = identity_.ca_file,
                      .use_proxy = !IsLoopbackUrl(identity_.endpoint),
                      .stall_timeout = kStallTimeout}) {}

  std::string Name() const override { return "a web identity's token"; }

  arrow::Result<S3Credentials> Fetch() override {
    const std::string service = "the security token service";
    ARROW_ASSIGN_OR_RAISE(const std::string token, ReadToken(identity_.token_file));
    const std::string form = EncodedQuery({{"Action", "AssumeRoleWithWebIdentity"},
                                           {"Version", "2011-06-15"},
                                           {"RoleArn", identity_.role_arn},
                                           {"RoleSessionName", identity_.session_name},
                                           {"WebIdentityToken", token}});
    ARROW_ASSIGN_OR_RAISE(
        const std::string body,
        Ask(connections_,
            {.method = "POST",
             .url = identity_.endpoint + "/",
             .headers = {"Content-Type: application/x-www-form-urlencoded; charset=utf-8"},
             .body = form},
            service));
    pugi::xml_document document;
    document.load_buffer(body.data(), body.size());
    const pugi::xml_node given = document.child("AssumeRoleWithWebIdentityResponse")
                                     .child("AssumeRoleWithWebIdentityResult")
                                     .child("Credentials");
    return Checked({.access_key_id = given.child_value("AccessKeyId"),
                    .secret_access_key = given.child_value("SecretAccessKey"),
                    .session_token = given.child_value("SessionToken")},
                   given.child_value("Expiration"), service);
  }

 private:
  const WebIdentity identity_;
  HttpConnections connections_;
};

class ContainerCredentials : public CredentialSource {
 public:
  explicit ContainerCredentials(ContainerEndpoint endpoint)
      : endpoint_(std::move(endpoint)),
        connections_({.use_proxy = false,
                      .connect_timeout = kNearConnectTimeout,
                      .stall_timeout = kStallTimeout}) {}

  std::string Name() const override { return "the container's service"; }

  arrow::Result<S3Credentials> Fetch() override {
    const std::string service = "the container's endpoint";
    std::string token = endpoint_.token;
    if (!endpoint_.token_file.empty()) {
      ARROW_ASSIGN_OR_RAISE(token, ReadToken(endpoint_.token_file));
    }
    S3HttpRequest request{
        .method = "GET", .url = endpoint_.url, .headers = {"Accept: application/json"}};
    if (!token.empty()) request.headers.push_back("Authorization: " + token);
    ARROW_ASSIGN_OR_RAISE(const std::string body, Ask(connections_, request, service));
    return FromJson(body, service);
  }

 private:
  const ContainerEndpoint endpoint_;
  HttpConnections connections_;
};

class InstanceCredentials : public CredentialSource {
 public:
  explicit InstanceCredentials(std::string endpoint)
      : endpoint_(std::move(endpoint)),
        connections_({.use_proxy = false,
                      .connect_timeout = kNearConnectTimeout,
                      .stall_timeout = kStallTimeout}) {}

  std::string Name() const override { return "the machine's metadata service"; }

  arrow::Result<S3Credentials> Fetch() override {
    const std::string service = "the instance metadata service";
    const std::string path = endpoint_ + "/latest/meta-data/iam/security-credentials/";
    ARROW_ASSIGN_OR_RAISE(const std::string token,
                          Ask(connections_,
                              {.method = "PUT",
                               .url = endpoint_ + "/latest/api/token",
                               .headers = {"X-aws-ec2-metadata-token-ttl-seconds: 300"}},
                              service));
    const std::string header = "X-aws-ec2-metadata-token: " + token;
    ARROW_ASSIGN_OR_RAISE(
        const std::string roles,
        Ask(connections_, {.method = "GET", .url = path, .headers = {header}}, service));
    const std::string role = roles.substr(0, roles.find_first_of("\r\n"));
    if (role.empty()) return None(service, "the machine has no role");
    ARROW_ASSIGN_OR_RAISE(
        const std::string body,
        Ask(connections_,
            {.method = "GET", .url = path + PercentEncoded(role), .headers = {header}}, service));
    return FromJson(body, service);
  }

 private:
  const std::string endpoint_;
  HttpConnections connections_;
};

}  // namespace

std::unique_ptr<CredentialSource> WebIdentitySource(WebIdentity identity) {
  return std::make_unique<WebIdentityCredentials>(std::move(identity));
}

std::unique_ptr<CredentialSource> ContainerSource(ContainerEndpoint endpoint) {
  return std::make_unique<ContainerCredentials>(std::move(endpoint));
}

std::unique_ptr<CredentialSource> InstanceSource(std::string endpoint) {
  return std::make_unique<InstanceCredentials>(std::move(endpoint));
}

}  // namespace hangar
