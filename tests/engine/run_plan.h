// A plan run over a few events, for tests that look at its results.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/value.h"

namespace pollux {

struct TestRow {
  int64_t timestamp_ms;
  std::vector<Value> values;
};

/// The results of a plan over one batch of rows of `stream`, in virtual time, each as
/// "Stream @timestamp a b c". `chunk`: the rows were sent as one chunk.
std::vector<std::string> run_plan(std::string_view text, std::string_view stream,
                                  const std::vector<TestRow>& rows, bool chunk = false);

}  // namespace pollux
