// Random expressions of a wanted type over attributes that are in reach.
#pragma once

#include <string>
#include <vector>

#include "engine/types/attribute_type.h"
#include "tests/oracle/random.h"

namespace pollux::oracle {

/// An attribute as an expression may write it.
struct Reach {
  std::string text;
  AttributeType type;
};

std::string random_constant(Random& random, AttributeType type);

/// An expression of `type`, at most `depth` operators deep.
std::string random_expression(Random& random, AttributeType type, const std::vector<Reach>& reach,
                              int depth);

/// A condition that holds now and then.
std::string random_condition(Random& random, const std::vector<Reach>& reach, int depth);

/// An aggregator over the attributes; `type` is set to that of its value. In joins rows may leave
/// that never came, which distinctCount cannot bear.
std::string random_aggregate(Random& random, const std::vector<Reach>& reach, bool join,
                             AttributeType& type);

/// Any of the types that attributes have.
AttributeType random_type(Random& random);

}  // namespace pollux::oracle
