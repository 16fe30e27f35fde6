#pragma once

#include <memory>
#include <string>

#include "s3/credentials.h"
#include "s3/environment.h"

namespace hangar {

/// Lets AWS' Security Token Service, or a store's own, give credentials for a token that an
/// identity provider wrote into a file, which is read again each time
/// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
struct WebIdentity {
  std::string token_file;
  std::string role_arn;
  std::string session_name;
  std::string endpoint;  ///< Of the service, without a slash at the end.
  std::string ca_file;   ///< Empty: the system's.
};
std::unique_ptr<CredentialSource> WebIdentitySource(WebIdentity identity);

/// Asks the endpoint that a container's surroundings offer
/// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
struct ContainerEndpoint {
  std::string url;
  std::string token;       ///< Empty: none, or the file's.
  std::string token_file;  ///< Read again each time. Empty: none.
};
std::unique_ptr<CredentialSource> ContainerSource(ContainerEndpoint endpoint);

/// Asks a virtual machine's metadata service, version 2
/// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html),
/// at `endpoint`, for example "http://169.254.169.254".
std::unique_ptr<CredentialSource> InstanceSource(std::string endpoint);

}  // namespace hangar
