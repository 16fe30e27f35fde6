#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"

namespace hangar {

/// Keeps the messages it is given, each followed by its fields' values.
class RecordingLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const LogField& field : fields) line += " " + field.value;
    MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
  }

  std::vector<std::string> lines() const {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar
