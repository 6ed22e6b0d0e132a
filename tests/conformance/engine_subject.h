// The engine as a subject of language cases.
#pragma once

#include <memory>

#include "engine/runtime/engine.h"
#include "tests/conformance/subject.h"

namespace pollux::conformance {

std::unique_ptr<Subject> make_engine_subject(int64_t now_ms, Dialect dialect);

}  // namespace pollux::conformance
