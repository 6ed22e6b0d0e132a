// Language cases (JSON lines: a plan, steps, what must come out) run against the oracle.
#pragma once

#include <string>
#include <string_view>

namespace pollux::oracle {

struct CaseOutcome {
  enum class Kind { kPassed, kFailed, kSkipped };
  Kind kind = Kind::kPassed;
  std::string id;
  std::string why;
};

/// Runs one case: one line of the file.
CaseOutcome run_case(std::string_view json_line);

}  // namespace pollux::oracle
