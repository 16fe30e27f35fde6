#include "admin/password_input.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "access/password_hash.h"
#include "base/error.h"

namespace hangar {
namespace {

constexpr size_t kLineBytesMax = 4096;
constexpr char kInterrupt = '\x03';

// One line of standard input, without its end. Byte by byte: what follows is somebody else's.
arrow::Result<std::string> ReadLine() {
  std::string line;
  char c = 0;
  while (line.size() < kLineBytesMax) {
    const ssize_t count = ::read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return MakeError(ErrorKind::kFailedPrecondition, "no password can be read");
    if (count == 0 || c == '\n') break;
    line += c;
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// While it lives, nothing that is typed is shown, and Ctrl-C is a byte: the process must not end
// with the terminal in this state.
class SilentTerminal {
 public:
  SilentTerminal() : is_changed_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    struct termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() {
    if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  struct termios before_{};
  const bool is_changed_;
};

arrow::Result<std::string> Ask(const char* prompt) {
  const SilentTerminal silent;
  std::fputs(prompt, stderr);
  std::fflush(stderr);
  auto line = ReadLine();
  std::fputs("\n", stderr);
  if (line.ok() && line->contains(kInterrupt)) {
    return MakeError(ErrorKind::kCancelled, "cancelled");
  }
  return line;
}

}  // namespace

arrow::Result<std::string> ReadNewPassword() {
  if (::isatty(STDIN_FILENO) == 0) {
    ARROW_ASSIGN_OR_RAISE(std::string password, ReadLine());
    ARROW_RETURN_NOT_OK(CheckPassword(password));
    return password;
  }
  ARROW_ASSIGN_OR_RAISE(std::string password, Ask("New password: "));
  ARROW_RETURN_NOT_OK(CheckPassword(password));
  ARROW_ASSIGN_OR_RAISE(const std::string again, Ask("The same again: "));
  if (password == again) return password;
  return MakeError(ErrorKind::kInvalidArgument, "the two passwords differ");
}

}  // namespace hangar
