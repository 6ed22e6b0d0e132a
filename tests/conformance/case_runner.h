// Runs one language case: a plan, steps on virtual time, what must come out.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/language/dialect.h"
#include "tests/conformance/subject.h"

namespace pollux::conformance {

struct CaseOutcome {
  enum class Kind {
    kPassed,
    kFailed,
    kSkipped,   ///< needs an extension that does not exist here
    kNotTaken,  ///< the subject refused the plan, or does not know a step
  };
  Kind kind = Kind::kPassed;
  std::string id;
  std::string why;
};

/// A new runtime; its clock stands at `now_ms`. `dialect`: of plans that do not say it.
using MakeSubject = std::function<std::unique_ptr<Subject>(int64_t now_ms, Dialect dialect)>;

struct CaseOptions {
  /// Up to so many neighbouring sends to one stream are handed over at once, as chunks of their
  /// own.
  size_t rebatch = 1;
  /// After every step each runtime's state is saved, loaded and saved again, which must be the
  /// same.
  bool snapshot_every_step = false;
  Dialect dialect = Dialect::k51;  ///< of cases without a "dialect" of their own
  bool stored = false;  ///< tables with a primary key are such as a record store keeps too
};

/// `json_line`: one line of a file of cases.
CaseOutcome run_case(std::string_view json_line, const MakeSubject& make,
                     const CaseOptions& options = {});

}  // namespace pollux::conformance
