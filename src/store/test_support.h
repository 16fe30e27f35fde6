#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/object_store.h"

namespace hangar {

// For tests only.

/// A new empty folder, removed with all that is in it at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "hangar-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string string() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Writes a file as another tool would, making its folders.
inline void WriteForeignFile(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Stages and seals.
inline arrow::Result<std::unique_ptr<StagedObject>> StageBytes(ObjectStore& store,
                                                               const std::string& bytes) {
  ARROW_ASSIGN_OR_RAISE(auto staged, store.Stage({}));
  ARROW_RETURN_NOT_OK(staged->Append(bytes.data(), static_cast<int64_t>(bytes.size())));
  ARROW_RETURN_NOT_OK(staged->Seal());
  return staged;
}

inline arrow::Result<ObjectInfo> PutBytes(ObjectStore& store, const std::string& key,
                                          const std::string& bytes,
                                          const Precondition& precondition = {}) {
  ARROW_ASSIGN_OR_RAISE(auto staged, StageBytes(store, bytes));
  return staged->Publish(key, precondition);
}

inline arrow::Result<std::string> ReadBytes(ObjectReader& reader) {
  std::string bytes(static_cast<size_t>(reader.info().size_bytes), '\0');
  ARROW_RETURN_NOT_OK(reader.ReadAt(0, reader.info().size_bytes, bytes.data()));
  return bytes;
}

inline arrow::Result<std::string> GetBytes(ObjectStore& store, const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(auto reader, store.Open(key));
  return ReadBytes(*reader);
}

inline arrow::Result<std::vector<std::string>> ListKeys(ObjectStore& store,
                                                        const ListOptions& options = {}) {
  ARROW_ASSIGN_OR_RAISE(auto lister, store.List(options));
  std::vector<std::string> keys;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(auto object, lister->Next());
    if (!object) return keys;
    keys.push_back(object->key);
  }
}

inline arrow::Status StatusOf(const arrow::Status& status) { return status; }
template <typename T>
arrow::Status StatusOf(const arrow::Result<T>& result) {
  return result.status();
}

/// Fails the test unless `result` is OK.
template <typename R>
void ExpectOk(const R& result) {
  EXPECT_TRUE(result.ok()) << StatusOf(result).ToString();
}

/// Fails the test unless `result` is an error of this kind whose sentence is fit for a client.
template <typename R>
void ExpectError(ErrorKind kind, const R& result) {
  const arrow::Status status = StatusOf(result);
  ASSERT_FALSE(status.ok()) << "expected " << ErrorKindName(kind);
  EXPECT_TRUE(HasErrorKind(status)) << status.ToString();
  EXPECT_EQ(ErrorKindName(KindOf(status)), ErrorKindName(kind)) << status.ToString();
  // INVALID_ARGUMENT repeats what the caller asked for; the others must not show the disk's paths,
  // which are rooted: a '/' that does not follow a name's own characters.
  if (kind == ErrorKind::kInvalidArgument) return;
  const std::string words = status.message();
  for (size_t at = words.find('/'); at != std::string::npos; at = words.find('/', at + 1)) {
    EXPECT_TRUE(at > 0 && words[at - 1] != ' ' && words[at - 1] != '\'') << words;
  }
  EXPECT_EQ(words.find("_hangar"), std::string::npos) << words;
}

}  // namespace hangar
