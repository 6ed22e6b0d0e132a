#include "engine/runtime/plan_description.h"

#include <algorithm>
#include <utility>

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

bool is_same_content(const StoredHolder& one, const StoredHolder& other) {
  if (one.stream != other.stream || one.type != other.type || one.table != other.table ||
      one.primary_key != other.primary_key || one.memory_ms != other.memory_ms ||
      !one.schema->same_attributes(*other.schema)) {
    return false;
  }
  auto where = [](const StoredHolder& holder) {
    std::vector<std::pair<std::string, std::string>> options;
    for (const AnnotationOption& option : holder.options) {
      if (same_name(option.key, "flush.interval")) continue;
      options.emplace_back(option.key, option.value);
    }
    std::sort(options.begin(), options.end());
    return options;
  };
  return where(one) == where(other);
}

std::vector<StoredHolder> holders_to_fill(const PlanDescription& plan,
                                          const PlanDescription* replaced) {
  std::vector<StoredHolder> empty;
  for (const StoredHolder& holder : plan.stored) {
    auto is_there = [&holder](const StoredHolder& other) { return is_same_content(holder, other); };
    if (replaced == nullptr ||
        std::none_of(replaced->stored.begin(), replaced->stored.end(), is_there)) {
      empty.push_back(holder);
    }
  }
  return empty;
}

}  // namespace pollux
