#include "admin/quiet_logger.h"

namespace hangar {
namespace {

class Quiet final : public Logger {
 public:
  void Write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
  bool Logs(LogLevel) const override { return false; }
};

}  // namespace

std::shared_ptr<Logger> QuietLogger() { return std::make_shared<Quiet>(); }

}  // namespace hangar
