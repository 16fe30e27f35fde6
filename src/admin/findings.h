#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hangar {

enum class Verdict {
  kOk,
  kWarning,  ///< The server works, and somebody should know.
  kProblem,  ///< It does not start, does not do what the settings say, or is in danger.
};

/// One thing that was looked at.
struct Finding {
  Verdict verdict = Verdict::kOk;
  std::string check;   ///< What was looked at, in a word: "tls_cert".
  std::string text;    ///< What was found, in a sentence without a full stop.
  std::string advice;  ///< What to do; empty where all is well.
};

/// What `hangar doctor` found, in the order in which it looked.
class Findings {
 public:
  void Ok(std::string_view check, std::string text) {
    Add(Verdict::kOk, check, std::move(text), "");
  }
  void Warning(std::string_view check, std::string text, std::string advice) {
    Add(Verdict::kWarning, check, std::move(text), std::move(advice));
  }
  void Problem(std::string_view check, std::string text, std::string advice) {
    Add(Verdict::kProblem, check, std::move(text), std::move(advice));
  }

  const std::vector<Finding>& all() const { return all_; }
  bool has_problem() const {
    for (const Finding& finding : all_) {
      if (finding.verdict == Verdict::kProblem) return true;
    }
    return false;
  }

 private:
  void Add(Verdict verdict, std::string_view check, std::string text, std::string advice) {
    all_.push_back({verdict, std::string(check), std::move(text), std::move(advice)});
  }

  std::vector<Finding> all_;
};

}  // namespace hangar
