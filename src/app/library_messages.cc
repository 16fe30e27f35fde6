#include "app/library_messages.h"

#include <iostream>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace hangar {
namespace {

constexpr size_t kLineBytesMax = 8192;

// std::cerr flushes after each piece that is written, so only the end of a line is one.
class LinesToLogger final : public std::streambuf {
 public:
  explicit LinesToLogger(std::shared_ptr<Logger> logger) : logger_(std::move(logger)) {}
  ~LinesToLogger() override {
    const MutexLock lock(mutex_);
    WriteLine();
  }

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    const MutexLock lock(mutex_);
    Take(traits_type::to_char_type(c));
    return c;
  }

  std::streamsize xsputn(const char* text, std::streamsize count) override {
    const MutexLock lock(mutex_);
    for (std::streamsize i = 0; i < count; ++i) Take(text[i]);
    return count;
  }

 private:
  void Take(char c) HANGAR_REQUIRES(mutex_) {
    if (c == '\n' || line_.size() >= kLineBytesMax) WriteLine();
    if (c != '\n') line_ += c;
  }

  void WriteLine() HANGAR_REQUIRES(mutex_) {
    if (!line_.empty()) logger_->Warning("a library says", {{"text", std::exchange(line_, {})}});
  }

  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  std::string line_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace

LibraryMessages::LibraryMessages(std::shared_ptr<Logger> logger)
    : lines_(std::make_unique<LinesToLogger>(std::move(logger))),
      before_(std::cerr.rdbuf(lines_.get())) {}

LibraryMessages::~LibraryMessages() { std::cerr.rdbuf(before_); }

}  // namespace hangar
