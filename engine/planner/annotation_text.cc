#include "engine/planner/annotation_text.h"

#include <utility>

#include "engine/planner/annotations.h"

namespace pollux {

AnnotationText text_of(const ast::Annotation& annotation) {
  AnnotationText text;
  text.name = annotation.name;
  text.location = annotation.location;
  for (const ast::AnnotationElement& element : annotation.elements) {
    text.options.push_back({element.key, element.value, element.location});
  }
  for (const ast::Annotation& nested : annotation.annotations) {
    text.nested.push_back(text_of(nested));
  }
  return text;
}

std::string take_option(std::vector<AnnotationOption>& options, std::string_view key) {
  for (auto option = options.begin(); option != options.end(); ++option) {
    if (!same_name(option->key, key)) continue;
    std::string type = std::move(option->value);
    options.erase(option);
    return type;
  }
  return {};
}

}  // namespace pollux
