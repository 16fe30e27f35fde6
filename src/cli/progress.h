#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace hangar::cli {

struct ProgressState {
  std::string label;
  std::optional<double> fraction;  ///< 0 to 1, where the end is known.
  std::optional<int64_t> rows;     ///< Where they are counted.
  int64_t bytes = 0;
  double elapsed_s = 0;
};

/// One line of at most `width` columns: label; bar, share and remaining time where the end is
/// known, else the time so far; bytes a second, bytes and rows. A long label is cut, and facts for
/// which there is no room are left out, rows and bytes first.
std::string FormatProgress(const ProgressState& state, int width);

/// A progress line on standard error, redrawn in place at most ten times a second. Nothing is
/// written unless standard error is a terminal. One thread at a time.
class ProgressBar {
 public:
  /// `enabled` false: nothing is ever written.
  ProgressBar(std::string label, bool enabled);

  ~ProgressBar();  ///< Hides the line.
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Takes the line away, so that other lines can be written, until the next Update.
  void Hide();

  void SetLabel(std::string label) { label_ = std::move(label); }

  void Update(std::optional<double> fraction, std::optional<int64_t> rows, int64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;

  std::string label_;
  const bool enabled_;
  const Clock::time_point start_;
  Clock::time_point drawn_;
  bool shown_ = false;
};

}  // namespace hangar::cli
