// Answers to on-demand queries, and what a case expects of them.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/case_values.h"
#include "tests/conformance/subject.h"

namespace pollux::conformance {

/// Throws Failure where the rows are not as expected; `query` is shown in it.
void judge_answer(const CaseValues& values, Json expected, const std::vector<Row>& rows,
                  const std::string& query);

}  // namespace pollux::conformance
