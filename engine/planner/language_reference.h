// The page of functions and aggregates, written from the tables that plans are bound by.
#pragma once

#include <string>

namespace pollux {

/// Markdown; the same whenever the tables are.
std::string language_reference();

}  // namespace pollux
