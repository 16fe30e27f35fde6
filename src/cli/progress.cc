#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <format>
#include <utility>

#include "cli/terminal.h"
#include "cli/units.h"

namespace hangar::cli {
namespace {

constexpr int kBarMax = 30;
constexpr int kBarMin = 8;
constexpr auto kRedraw = std::chrono::milliseconds(100);

std::string Bar(double fraction, int width) {
  const int inner = width - 2;
  const int filled = static_cast<int>(fraction * inner);
  std::string bar = "[";
  for (int i = 0; i < inner; ++i) bar += i < filled ? '=' : (i == filled ? '>' : ' ');
  return bar + "]";
}

std::string Remaining(double fraction, double elapsed_s) {
  if (fraction <= 0) return "eta -";
  return "eta " + FormatDuration(elapsed_s * (1 - fraction) / fraction);
}

}  // namespace

std::string FormatProgress(const ProgressState& state, int width) {
  const double seconds = std::max(state.elapsed_s, 1e-3);
  const auto rate = static_cast<int64_t>(static_cast<double>(state.bytes) / seconds);
  const std::string label = CutToWidth(Printable(state.label), std::max(1, width / 3));
  std::string facts;
  int room = width - DisplayWidth(label);
  // From what matters most to what matters least, each while there is room.
  const auto add = [&](const std::string& fact) {
    if (DisplayWidth(fact) + 2 > room) room = 0;
    if (room == 0) return;
    facts += "  " + fact;
    room -= DisplayWidth(fact) + 2;
  };
  if (state.fraction) add(std::format("{:3.0f}%", 100 * *state.fraction));
  add(FormatBytes(rate) + "/s");
  add(state.fraction ? Remaining(*state.fraction, state.elapsed_s)
                     : FormatDuration(state.elapsed_s));
  std::string bar;
  if (state.fraction && room >= kBarMin + 2) {
    bar = "  " + Bar(*state.fraction, std::min(kBarMax, room - 2));
    room -= DisplayWidth(bar);
  }
  add(FormatBytes(state.bytes));
  if (state.rows) add(FormatCount(*state.rows) + " rows");
  return label + bar + facts;
}

ProgressBar::ProgressBar(std::string label, bool enabled)
    : label_(std::move(label)),
      enabled_(enabled && IsTerminal(STDERR_FILENO)),
      start_(Clock::now()) {}

ProgressBar::~ProgressBar() { Hide(); }

void ProgressBar::Hide() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

void ProgressBar::Update(std::optional<double> fraction, std::optional<int64_t> rows,
                         int64_t bytes) {
  const Clock::time_point now = Clock::now();
  if (!enabled_ || (shown_ && now - drawn_ < kRedraw)) return;
  if (fraction) fraction = std::clamp(*fraction, 0.0, 1.0);
  const ProgressState state{.label = label_,
                            .fraction = fraction,
                            .rows = rows,
                            .bytes = bytes,
                            .elapsed_s = std::chrono::duration<double>(now - start_).count()};
  // The last column is left free: some terminals wrap when it is written.
  const std::string line = FormatProgress(state, TerminalWidth(STDERR_FILENO) - 1);
  std::fputs(("\r" + line + "\x1b[K").c_str(), stderr);
  std::fflush(stderr);
  drawn_ = now;
  shown_ = true;
}

}  // namespace hangar::cli
