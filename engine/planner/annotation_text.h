// Annotations as whoever acts on them is told of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/language/ast.h"
#include "engine/runtime/plan_description.h"

namespace pollux {

AnnotationText text_of(const ast::Annotation& annotation);

/// Takes the first option of that key out, letter case ignored; empty when there is none.
std::string take_option(std::vector<AnnotationOption>& options, std::string_view key);

}  // namespace pollux
