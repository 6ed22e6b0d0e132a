// Which values an attribute takes. Thread: any.
#pragma once

#include "engine/types/attribute_type.h"
#include "engine/types/value.h"

namespace pollux {

/// Null is of no type; an object attribute takes everything else.
bool is_of_type(const Value& value, AttributeType type);

}  // namespace pollux
