#pragma once

#include <chrono>
#include <string>

#include "access/tls_files.h"

namespace hangar {

/// What a certificate for tests is like.
struct TestCertificate {
  std::string name = "localhost";
  std::chrono::seconds begins{-3600};  ///< From now on.
  std::chrono::seconds ends{3600};
  int rsa_bits = 0;  ///< 0: a key on the curve P-256.
};

/// A certificate that signs itself, and its key, PEM.
TlsMaterial MakeTestCertificate(const TestCertificate& certificate);

}  // namespace hangar
