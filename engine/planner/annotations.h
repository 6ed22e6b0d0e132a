// Reading annotations: names regardless of letter case, values as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/ast.h"
#include "engine/language/dialect.h"

namespace pollux {

/// Equal but for letter case.
bool same_name(std::string_view a, std::string_view b);

/// The first annotation of that name; null when there is none.
const ast::Annotation* find_annotation(const std::vector<ast::Annotation>& annotations,
                                       std::string_view name);

/// The value under a key (empty key: the first value without one).
std::optional<std::string> annotation_value(const ast::Annotation& annotation,
                                            std::string_view key);

/// 3.1 for a plan with any @Plan annotation, whatever is given; else what is given.
Dialect dialect_of(const std::vector<ast::Annotation>& annotations, Dialect given);

/// "10 sec", "1 hour 25 min": milliseconds; empty when the text is no time.
std::optional<int64_t> parse_duration(std::string_view text);

}  // namespace pollux
