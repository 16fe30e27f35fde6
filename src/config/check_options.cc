#include "config/check_options.h"

#include <array>
#include <format>
#include <optional>
#include <utility>

#include "base/flight_address.h"
#include "base/host_port.h"
#include "base/network_address.h"
#include "base/text.h"

namespace hangar {
namespace {

using Sentences = std::vector<std::string>;

void CheckTls(const Tls& tls, const IsGiven& is_given, Sentences& out) {
  if (!tls.certificate.empty() && tls.key.empty()) {
    out.push_back("tls_cert needs tls_key, the file of the certificate's key");
  }
  if (tls.certificate.empty() && !tls.key.empty()) {
    out.push_back("tls_key needs tls_cert, the file of the key's certificate");
  }
  if (tls.certificate.empty() && !tls.client_ca.empty()) {
    out.push_back("client_ca needs tls_cert and tls_key: clients show certificates over TLS only");
  }
  // Somebody who asks for certificates must not believe that they are looked at.
  if (tls.client_ca.empty() && is_given("client_certificates") &&
      tls.client_certificates != ClientCertificates::kOff) {
    out.push_back("client_certificates needs client_ca, the authorities that it is about");
  }
}

void CheckJwt(const Access& access, Sentences& out) {
  if (access.jwks.empty()) {
    if (!access.jwt_issuer.empty() || !access.jwt_audience.empty()) {
      out.push_back(
          "jwt_issuer and jwt_audience need jwks, the identity provider's keys: without them no "
          "token of it is taken");
    }
    return;
  }
  if (access.jwt_issuer.empty()) {
    out.push_back("jwks needs jwt_issuer: a token counts only when its 'iss' is this");
  }
  if (access.jwt_audience.empty()) {
    out.push_back(
        "jwks needs jwt_audience: without it a token that was given for another service would be "
        "good here");
  }
  if (access.jwks.contains("://") && !access.jwks.starts_with("https://")) {
    out.push_back(
        "jwks must be a file or an https address: whoever changes the keys on their way is "
        "whoever they like");
  }
}

// What is wrong with this server's own address among its peers; empty: nothing.
std::string SelfProblem(const ServeOptions& options, const std::vector<PeerSetting>& peers) {
  if (options.advertise.size() != 1) {
    return std::format(
        "peers needs advertise, once: the address that clients and peers reach this server by{}",
        options.advertise.empty() ? "" : "; more than one was given");
  }
  const auto self = ParseFlightAddress(options.advertise[0]);
  if (!self.ok()) return "advertise is wrong: " + self.status().message();
  for (const PeerSetting& peer : peers) {
    // What these say is seen when the server runs; it adds itself if need be.
    if (peer.kind != PeerSetting::Kind::kAddress || peer.address == *self) return "";
  }
  return std::format(
      "advertise is {}, which is not among the peers: give all servers the same list, with each of "
      "them in it",
      Quoted(options.advertise[0]));
}

void CheckPeers(const ServeOptions& options, Sentences& out) {
  const Shared& shared = options.shared;
  if (shared.peers.empty()) {
    if (!shared.peer_ca.empty()) {
      out.push_back("peer_ca needs peers, whose certificates it is about");
    }
    return;
  }
  if (shared.single_writer) {
    out.push_back("single_writer and peers contradict each other: each of the peers writes");
  }
  std::vector<PeerSetting> peers;
  for (const std::string& text : shared.peers) {
    auto peer = ParsePeerSetting(text);
    if (peer.ok()) {
      peers.push_back(*std::move(peer));
    } else {
      out.push_back("peers is wrong: " + peer.status().message());
    }
  }
  if (peers.size() != shared.peers.size()) return;
  if (auto problem = SelfProblem(options, peers); !problem.empty()) {
    out.push_back(std::move(problem));
  }
}

void CheckSessions(const Access& access, Sentences& out) {
  if (!access.session_key.empty() && access.user_file.empty()) {
    out.push_back("session_key needs user_file: only users with passwords log in");
  }
}

// Each of these files is replaced or appended to by another writer, or holds another secret.
void CheckFiles(const ServeOptions& options, Sentences& out) {
  const Access& access = options.access;
  const std::array<std::pair<std::string_view, std::string>, 5> files = {
      {{"policy", access.policy},
       {"token_file", access.token_file},
       {"user_file", access.user_file},
       {"session_key", access.session_key},
       {"audit_log", access.audit_log}}};
  for (size_t i = 0; i < files.size(); ++i) {
    for (size_t j = i + 1; j < files.size(); ++j) {
      if (!files[i].second.empty() && files[i].second == files[j].second) {
        out.push_back(std::format("{} and {} are the same file; each needs its own", files[i].first,
                                  files[j].first));
      }
    }
  }
}

struct Listener {
  std::string_view setting;
  HostPort address;
};

bool IsEveryAddress(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

bool Overlap(const HostPort& a, const HostPort& b) {
  return a.port != 0 && a.port == b.port &&
         (a.host == b.host || IsEveryAddress(a.host) || IsEveryAddress(b.host));
}

std::optional<HostPort> AddressOf(std::string_view setting, std::string_view text, Sentences& out) {
  auto address = ParseHostPort(text);
  if (address.ok()) return *std::move(address);
  out.push_back(std::format("{} is wrong: {} is not HOST:PORT, such as 127.0.0.1:8816: {}", setting,
                            Quoted(text), address.status().message()));
  return std::nullopt;
}

void CheckAddresses(const ServeOptions& options, Sentences& out) {
  std::vector<Listener> listeners;
  const auto take = [&](std::string_view setting, std::string_view text) {
    if (text.empty()) return;
    if (auto address = AddressOf(setting, text, out)) listeners.push_back({setting, *address});
  };
  // What is wrong with the Flight door's address its parser says better; a socket has no port.
  if (const auto flight = ParseHostPort(std::string_view(options.listen)
                                            .substr(options.listen.find("://") == std::string::npos
                                                        ? 0
                                                        : options.listen.find("://") + 3));
      flight.ok() && !options.listen.starts_with("grpc+unix")) {
    listeners.push_back({"listen", *flight});
  }
  take("http", options.http.listen);
  take("metrics", options.http.metrics_listen);
  for (size_t i = 0; i < listeners.size(); ++i) {
    for (size_t j = i + 1; j < listeners.size(); ++j) {
      if (Overlap(listeners[i].address, listeners[j].address)) {
        out.push_back(std::format("{} and {} are the same address, {}; each needs its own",
                                  listeners[i].setting, listeners[j].setting,
                                  listeners[j].address.ToString()));
      }
    }
  }
  // The metrics' own listener takes no secrets.
  for (const Listener& listener : listeners) {
    if (listener.setting == "metrics") continue;
    const auto status = CheckEncryption({.uri = listener.address.ToString(),
                                         .host = listener.address.host,
                                         .is_encrypted = !options.tls.certificate.empty(),
                                         .is_authenticated = HasAuthentication(options),
                                         .insecure = options.tls.insecure});
    if (!status.ok()) out.push_back(status.message());
  }
  if (options.http.listen.empty() && !options.http.cors_origins.empty()) {
    out.push_back("http_cors_origin needs http, the address that it is about");
  }
}

}  // namespace

bool HasAuthentication(const ServeOptions& options) {
  return !options.access.token_file.empty() || !options.access.user_file.empty() ||
         !options.access.jwks.empty() || !options.tls.client_ca.empty();
}

std::vector<std::string> CheckServeOptions(const ServeOptions& options, const IsGiven& is_given) {
  Sentences out;
  CheckTls(options.tls, is_given, out);
  CheckJwt(options.access, out);
  CheckSessions(options.access, out);
  CheckFiles(options, out);
  CheckAddresses(options, out);
  CheckPeers(options, out);
  return out;
}

}  // namespace hangar
