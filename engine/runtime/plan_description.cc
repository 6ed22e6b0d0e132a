#include "engine/runtime/plan_description.h"

#include "engine/planner/annotations.h"

namespace pollux {

const std::string* AnnotationText::value(std::string_view key) const {
  for (const AnnotationOption& option : options) {
    if (same_name(option.key, key)) return &option.value;
  }
  return nullptr;
}

const AnnotationText* AnnotationText::find(std::string_view wanted) const {
  for (const AnnotationText& annotation : nested) {
    if (same_name(annotation.name, wanted)) return &annotation;
  }
  return nullptr;
}

}  // namespace pollux
