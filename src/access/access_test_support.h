#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "access/crypto.h"

namespace hangar {

/// A folder that goes with the test.
class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::temp_directory_path() / ("access-" + Name())) {
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  /// Puts the file in its place as `hangar token` does: in one step.
  std::string Write(const std::string& name, std::string_view text) const {
    const std::string staged = *this / (name + ".new");
    std::ofstream(staged, std::ios::binary) << text;
    std::filesystem::rename(staged, *this / name);
    return *this / name;
  }

 private:
  static std::string Name() {
    return StartCrypto().ok() ? EncodeBase64Url(RandomBytes(12)) : "no-randomness";
  }
  const std::filesystem::path path_;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Whether the condition becomes true within 30 s.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace hangar
