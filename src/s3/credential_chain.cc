#include "s3/credential_chain.h"

#include <format>
#include <string>
#include <utility>

#include "base/error.h"
#include "s3/credential_services.h"
#include "s3/http_exchange.h"
#include "s3/profile_file.h"

namespace hangar {
namespace {

using Source = std::unique_ptr<CredentialSource>;

constexpr const char* kContainerHost = "http://169.254.170.2";
constexpr const char* kInstanceEndpoint = "http://169.254.169.254";

template <typename... Args>
arrow::Status Missing(std::format_string<Args...> format, Args&&... args) {
  return MakeError(ErrorKind::kFailedPrecondition,
                   "S3 credentials: " + std::format(format, std::forward<Args>(args)...));
}

class VariableCredentials : public CredentialSource {
 public:
  explicit VariableCredentials(S3Credentials credentials) : credentials_(std::move(credentials)) {}
  arrow::Result<S3Credentials> Fetch() override { return credentials_; }
  std::string Name() const override {
    return "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
  }

 private:
  const S3Credentials credentials_;
};

// Reads the files again each time, so that keys that were exchanged there are found.
class ProfileCredentials : public CredentialSource {
 public:
  ProfileCredentials(std::string name, Environment environment)
      : name_(std::move(name)), environment_(std::move(environment)) {}

  arrow::Result<S3Credentials> Fetch() override {
    ARROW_ASSIGN_OR_RAISE(Profile profile, LoadProfile(name_, environment_));
    S3Credentials credentials{.access_key_id = profile["aws_access_key_id"],
                              .secret_access_key = profile["aws_secret_access_key"],
                              .session_token = profile["aws_session_token"]};
    if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
      return Missing("the profile has no aws_access_key_id and aws_secret_access_key any more");
    }
    return credentials;
  }

  std::string Name() const override {
    std::string name = name_.empty() ? environment_("AWS_PROFILE") : name_;
    if (name.empty()) name = "default";
    return std::format("the profile '{}' of the shared files", name);
  }

 private:
  const std::string name_;
  const Environment environment_;
};

Source WebIdentityOf(const std::string& token_file, const std::string& role_arn,
                     const std::string& session_name, const S3Location& location,
                     const Environment& environment) {
  std::string endpoint = environment("AWS_ENDPOINT_URL_STS");
  const bool is_aws = endpoint.empty();
  if (is_aws) {
    endpoint = "https://sts." + location.region + ".amazonaws.com" +
               (location.region.starts_with("cn-") ? ".cn" : "");
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return WebIdentitySource({.token_file = token_file,
                            .role_arn = role_arn,
                            .session_name = session_name.empty() ? "hangar" : session_name,
                            .endpoint = endpoint,
                            .ca_file = is_aws ? "" : location.ca_file});
}

// nullptr where the profile says nothing of credentials.
arrow::Result<Source> FromProfile(const S3Location& location, const Environment& environment) {
  ARROW_ASSIGN_OR_RAISE(Profile profile, LoadProfile(location.profile, environment));
  if (!profile["aws_access_key_id"].empty()) {
    if (profile["aws_secret_access_key"].empty()) {
      return Missing("the profile has an aws_access_key_id and no aws_secret_access_key");
    }
    return std::make_unique<ProfileCredentials>(location.profile, environment);
  }
  if (!profile["web_identity_token_file"].empty() && !profile["role_arn"].empty()) {
    return WebIdentityOf(profile["web_identity_token_file"], profile["role_arn"],
                         profile["role_session_name"], location, environment);
  }
  for (const char* name : {"role_arn", "credential_process", "sso_session", "sso_start_url"}) {
    if (profile[name].empty()) continue;
    return Missing(
        "the profile has '{}', which is not understood here; it may have aws_access_key_id and "
        "aws_secret_access_key, or web_identity_token_file and role_arn",
        name);
  }
  return nullptr;
}

arrow::Result<Source> FromVariables(const Environment& environment) {
  const std::string id = environment("AWS_ACCESS_KEY_ID");
  const std::string secret = environment("AWS_SECRET_ACCESS_KEY");
  if (id.empty() && secret.empty()) return nullptr;
  if (secret.empty()) return Missing("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
  if (id.empty()) return Missing("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not");
  return std::make_unique<VariableCredentials>(
      S3Credentials{.access_key_id = id,
                    .secret_access_key = secret,
                    .session_token = environment("AWS_SESSION_TOKEN")});
}

arrow::Result<Source> FromWebIdentity(const S3Location& location, const Environment& environment) {
  const std::string token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (token_file.empty()) return nullptr;
  const std::string role = environment("AWS_ROLE_ARN");
  if (role.empty()) return Missing("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
  return WebIdentityOf(token_file, role, environment("AWS_ROLE_SESSION_NAME"), location,
                       environment);
}

// Over plain HTTP credentials travel within the machine and to the two services' own addresses
// only.
bool MayBeAsked(const std::string& url) {
  if (url.starts_with("https://") || IsLoopbackUrl(url)) return true;
  for (const std::string host :
       {kContainerHost, "http://169.254.170.23", "http://[fd00:ec2::23]"}) {
    if (url == host || url.starts_with(host + "/") || url.starts_with(host + ":")) return true;
  }
  return false;
}

arrow::Result<Source> FromContainer(const Environment& environment) {
  const std::string relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) return nullptr;
  const std::string url = relative.empty() ? full : kContainerHost + relative;
  if (!MayBeAsked(url)) {
    return Missing(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine");
  }
  const std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (token.find_first_of("\r\n") != std::string::npos) {
    return Missing("AWS_CONTAINER_AUTHORIZATION_TOKEN has more than one line");
  }
  return ContainerSource({.url = url,
                          .token = token,
                          .token_file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")});
}

}  // namespace

arrow::Result<Source> FindCredentials(const S3Location& location, const Environment& environment) {
  Source source;
  if (!location.profile.empty()) {
    ARROW_ASSIGN_OR_RAISE(source, FromProfile(location, environment));
    if (source) return source;
    return Missing("the shared files have no keys of the profile '{}'", location.profile);
  }
  ARROW_ASSIGN_OR_RAISE(source, FromVariables(environment));
  if (source) return source;
  ARROW_ASSIGN_OR_RAISE(source, FromWebIdentity(location, environment));
  if (source) return source;
  ARROW_ASSIGN_OR_RAISE(source, FromProfile(location, environment));
  if (source) return source;
  ARROW_ASSIGN_OR_RAISE(source, FromContainer(environment));
  if (source) return source;
  const std::string disabled = environment("AWS_EC2_METADATA_DISABLED");
  if (disabled == "true" || disabled == "TRUE" || disabled == "True") {
    return Missing(
        "there are none; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them into the "
        "shared credentials file");
  }
  std::string endpoint = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return InstanceSource(endpoint.empty() ? kInstanceEndpoint : endpoint);
}

}  // namespace hangar
