#include "cli/connection_choice.h"

#include <cstdlib>
#include <format>
#include <iostream>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "files/private_file.h"

namespace hangar::cli {
namespace {

// Values of one rank. The first layer that has a part decides it.
using Layer = Profile;

arrow::Status CheckFlags(const ConnectionFlags& flags) {
  const int shown = (flags.token.empty() ? 0 : 1) + (flags.token_file.empty() ? 0 : 1) +
                    (flags.user.empty() ? 0 : 1);
  if (shown > 1) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "give one of --token, --token-file and --user, not several");
  }
  if (flags.cert.empty() != flags.key.empty()) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "--cert and --key are of use together only: the certificate and its key");
  }
  return arrow::Status::OK();
}

Layer OfFlags(const ConnectionFlags& flags) {
  return {.server = flags.server,
          .token = flags.token,
          .token_file = flags.token_file,
          .user = flags.user,
          .ca = flags.ca,
          .cert = flags.cert,
          .key = flags.key,
          .insecure = flags.insecure};
}

Layer OfEnvironment(const Environment& environment) {
  Layer layer;
  layer.server = environment("HANGAR_SERVER");
  layer.token = environment("HANGAR_TOKEN");
  layer.ca = environment("HANGAR_CA");
  return layer;
}

struct NamedProfile {
  std::string name;  // Empty for none.
  bool by_flag = false;
  Profile profile;
};

arrow::Result<NamedProfile> FindProfile(const ConnectionFlags& flags,
                                        const Environment& environment, const Profiles& profiles) {
  const std::string in_environment = environment("HANGAR_PROFILE");
  const std::string& asked = flags.profile.empty() ? in_environment : flags.profile;
  const auto found = profiles.find(asked.empty() ? kDefaultProfile : asked);
  if (found != profiles.end()) {
    return NamedProfile{found->first, !flags.profile.empty(), found->second};
  }
  if (asked.empty()) return NamedProfile{};
  return Error(ErrorKind::kNotFound,
               "there is no profile {}: \"hangar profiles\" lists them, \"hangar login --profile\" "
               "makes one",
               Quoted(asked));
}

void Fill(const Layer& layer, ConnectionChoice* choice) {
  if (choice->token.empty() && choice->token_file.empty() && choice->user.empty()) {
    // A profile may name the user whose token it holds.
    choice->token = layer.token;
    if (choice->token.empty()) choice->token_file = layer.token_file;
    if (choice->token.empty() && choice->token_file.empty()) choice->user = layer.user;
  }
  if (choice->ca.empty()) choice->ca = layer.ca;
  if (choice->cert.empty()) {
    choice->cert = layer.cert;
    choice->key = layer.key;
  }
  choice->insecure = choice->insecure || layer.insecure;
}

// The first line, without what ends it.
std::string FirstLine(const std::string& text) {
  return text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
}

arrow::Result<std::string> ReadToken(const ConnectionChoice& choice) {
  std::string token = choice.token;
  if (token == "-") {
    token.clear();
    std::getline(std::cin, token);
    token = FirstLine(token);
    if (token.empty()) {
      return MakeError(ErrorKind::kInvalidArgument, "standard input holds no token");
    }
  } else if (!choice.token_file.empty()) {
    ARROW_ASSIGN_OR_RAISE(const std::string text, ReadWholeFile(choice.token_file));
    token = FirstLine(text);
    if (token.empty()) {
      return Error(ErrorKind::kInvalidArgument, "{} holds no token in its first line",
                   Quoted(choice.token_file));
    }
  }
  return token;
}

// Empty for no path.
arrow::Result<std::string> ReadPem(const std::string& path, std::string_view what) {
  if (path.empty()) return std::string();
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadWholeFile(path));
  if (text.contains("-----BEGIN ") && text.contains(std::format("{}-----", what))) return text;
  return Error(ErrorKind::kInvalidArgument, "{} holds no {} in the form of PEM", Quoted(path),
               what == "CERTIFICATE" ? "certificate" : "private key");
}

}  // namespace

std::string EnvironmentOf(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

arrow::Result<ConnectionChoice> ChooseConnection(const ConnectionFlags& flags,
                                                 const Environment& environment,
                                                 const Profiles& profiles) {
  ARROW_RETURN_NOT_OK(CheckFlags(flags));
  ARROW_ASSIGN_OR_RAISE(const NamedProfile named, FindProfile(flags, environment, profiles));
  if (named.by_flag && !flags.server.empty() && flags.server != named.profile.server) {
    return Error(ErrorKind::kInvalidArgument,
                 "--server {} is not the server of the profile {}, which is {}", flags.server,
                 Quoted(named.name), named.profile.server);
  }
  const Layer of_environment = OfEnvironment(environment);
  ConnectionChoice choice;
  for (const std::string& server :
       {flags.server, named.by_flag ? named.profile.server : "", of_environment.server,
        named.profile.server, std::string(client::kDefaultUri)}) {
    if (choice.server.empty()) choice.server = server;
  }
  const bool with_profile = !named.name.empty() && choice.server == named.profile.server;
  if (with_profile) choice.profile = named.name;
  Fill(OfFlags(flags), &choice);
  if (with_profile && named.by_flag) Fill(named.profile, &choice);
  Fill(of_environment, &choice);
  if (with_profile) Fill(named.profile, &choice);
  return choice;
}

arrow::Result<client::ClientOptions> ReadConnection(const ConnectionChoice& choice,
                                                    const Environment& environment) {
  client::ClientOptions options{
      .uri = choice.server, .user = choice.user, .insecure = choice.insecure};
  ARROW_ASSIGN_OR_RAISE(options.token, ReadToken(choice));
  ARROW_ASSIGN_OR_RAISE(options.ca_pem, ReadPem(choice.ca, "CERTIFICATE"));
  ARROW_ASSIGN_OR_RAISE(options.certificate_pem, ReadPem(choice.cert, "CERTIFICATE"));
  ARROW_ASSIGN_OR_RAISE(options.key_pem, ReadPem(choice.key, "PRIVATE KEY"));
  if (options.user.empty()) return options;
  options.password = environment("HANGAR_PASSWORD");
  if (options.password.empty()) {
    ARROW_ASSIGN_OR_RAISE(options.password,
                          AskSecret(std::format("password of {} at {}: ", Printable(choice.user),
                                                Printable(choice.server))));
  }
  return options;
}

}  // namespace hangar::cli
