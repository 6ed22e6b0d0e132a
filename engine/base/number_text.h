// Numbers as text the way SiddhiQL's string conversions write them (Java's Double.toString and
// Float.toString): the shortest digits that read back equal, always with a fraction, and an
// exponent outside [1e-3, 1e7).
#pragma once

#include <string>

namespace pollux {

std::string number_text(double value);
std::string number_text(float value);

}  // namespace pollux
