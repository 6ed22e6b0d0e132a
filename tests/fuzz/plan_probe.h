// What a fuzzer does with a text: all that a stranger's plan can bring about.
#pragma once

#include <string_view>

namespace pollux {

/// Checks `text` as a plan; when it is valid, deploys it, sends events made from its streams'
/// attributes, lets time pass, asks its tables, and takes it away again. Also reads `text` as an
/// on-demand query. Fails an assertion when what was said of a mistake makes no sense.
/// Deterministic; takes at most some hundred events.
void probe_plan(std::string_view text);

}  // namespace pollux
