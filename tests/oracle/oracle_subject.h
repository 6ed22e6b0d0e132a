// The oracle as a subject of language cases.
#pragma once

#include <memory>

#include "engine/language/dialect.h"
#include "tests/conformance/subject.h"

namespace pollux::oracle {

std::unique_ptr<conformance::Subject> make_oracle_subject(int64_t now_ms, Dialect dialect);

}  // namespace pollux::oracle
