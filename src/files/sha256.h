#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace hangar {

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);

  /// Of all bytes so far, as 64 hexadecimal digits. The last call.
  std::string Finish();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace hangar
