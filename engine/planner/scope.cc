#include "engine/planner/scope.h"

#include <algorithm>
#include <utility>

#include "engine/expression/operators.h"

namespace pollux {
namespace {

std::string hint_for(const std::string& name, const std::vector<std::string>& known) {
  std::string nearest = nearest_name(name, known);
  return nearest.empty() ? "" : "did you mean '" + nearest + "'?";
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

NameError unknown_attribute(const std::string& name, const std::vector<std::string>& known) {
  return {"unknown attribute '" + name + "'", "one of: " + list_of(known), hint_for(name, known)};
}

NameError unknown_source(const std::string& name, const std::vector<std::string>& known) {
  return {"unknown stream or reference '" + name + "'", "one of: " + list_of(known),
          hint_for(name, known)};
}

}  // namespace

NameResult Scope::absence(const ast::Reference& reference) {
  return NameError{"'" + reference.stream + "' is no event that can be absent",
                   "an attribute, or the reference of a pattern's event", ""};
}

NameResult Scope::timestamp(const ast::Reference& reference) {
  const std::string& name = reference.stream.empty() ? reference.attribute : reference.stream;
  return NameError{"'" + name + "' is no event whose timestamp is known here", "eventTimestamp()",
                   ""};
}

SourcesScope::SourcesScope(std::vector<NamedSource> sources) : sources_(std::move(sources)) {
  for (const NamedSource& source : sources_) used_.emplace_back(source.schema->size(), false);
}

void SourcesScope::use_all() {
  for (auto& used : used_) std::fill(used.begin(), used.end(), true);
}

NameResult SourcesScope::attribute(const ast::Reference& reference) {
  std::vector<std::string> source_names;
  std::vector<std::string> attribute_names;
  std::optional<std::pair<size_t, size_t>> found;
  for (size_t s = 0; s < sources_.size(); ++s) {
    const NamedSource& source = sources_[s];
    source_names.insert(source_names.end(), source.names.begin(), source.names.end());
    bool named =
        std::find(source.names.begin(), source.names.end(), reference.stream) != source.names.end();
    if (!reference.stream.empty() && !named && !any_name_) continue;
    for (const Attribute& attribute : source.schema->attributes()) {
      attribute_names.push_back(attribute.name);
    }
    std::optional<size_t> column = source.schema->find(reference.attribute);
    if (!column) continue;
    if (found) {
      return NameError{"'" + reference.attribute + "' is an attribute of both sides",
                       "the name of a side before it", ""};
    }
    found = {s, *column};
  }
  if (!found) {
    if (attribute_names.empty()) return unknown_source(reference.stream, source_names);
    return unknown_attribute(reference.attribute, attribute_names);
  }
  return column(found->first, found->second);
}

ExpressionPtr SourcesScope::column(size_t s, size_t column) {
  used_[s][column] = true;
  const NamedSource& source = sources_[s];
  return std::make_shared<ColumnExpression>((*source.schema)[column].type, source.source,
                                            source.offset + static_cast<uint32_t>(column));
}

std::vector<ExpressionPtr> SourcesScope::all_attributes() {
  std::vector<ExpressionPtr> all;
  for (size_t s = 0; s < sources_.size(); ++s) {
    for (size_t c = 0; c < sources_[s].schema->size(); ++c) all.push_back(column(s, c));
  }
  return all;
}

uint32_t PatternNames::reference_number(const PatternReference& reference) {
  auto at = std::find(references_.begin(), references_.end(), reference);
  if (at == references_.end()) at = references_.insert(at, reference);
  return static_cast<uint32_t>(at - references_.begin());
}

std::variant<PatternReference, NameError> PatternNames::find(const ast::Reference& name,
                                                             std::optional<uint32_t> own,
                                                             bool whole_event) {
  std::vector<std::string> known_states;
  std::vector<std::string> known_attributes;
  std::optional<uint32_t> state;
  if (name.stream.empty() && own && states_[*own].schema->find(name.attribute)) state = own;
  for (uint32_t s = 0; s < states_.size() && !state; ++s) {
    const State& candidate = states_[s];
    if (!candidate.reference.empty()) known_states.push_back(candidate.reference);
    if (name.stream.empty()) {
      for (const Attribute& attribute : candidate.schema->attributes()) {
        known_attributes.push_back(attribute.name);
      }
      if (candidate.schema->find(name.attribute)) state = s;
    } else if (name.stream == candidate.reference ||
               (candidate.reference.empty() && name.stream == candidate.stream)) {
      state = s;
    }
  }
  for (uint32_t s = 0; s < states_.size() && !state; ++s) {
    if (name.stream == states_[s].stream) state = s;
  }
  if (!state) {
    if (name.stream.empty()) return unknown_attribute(name.attribute, known_attributes);
    return unknown_source(name.stream, known_states);
  }
  PatternReference reference;
  reference.state = *state;
  if (name.index.kind == ast::EventIndex::Kind::kAt) {
    reference.place = static_cast<uint32_t>(name.index.offset);
  } else if (name.index.kind == ast::EventIndex::Kind::kFromLast) {
    reference.from_back = true;
    reference.place = static_cast<uint32_t>(name.index.offset);
  }
  if (whole_event) {
    reference.column = PatternReference::kPresence;
    return reference;
  }
  const SchemaPtr& schema = states_[*state].schema;
  std::optional<size_t> column = schema->find(name.attribute);
  if (!column) {
    for (const Attribute& attribute : schema->attributes()) {
      known_attributes.push_back(attribute.name);
    }
    return unknown_attribute(name.attribute, known_attributes);
  }
  reference.column = static_cast<int32_t>(*column);
  reference.type = (*schema)[*column].type;
  return reference;
}

ExpressionPtr PatternFilterScope::ask(const PatternReference& reference) {
  uint32_t number = names_.reference_number(reference);
  asked_.push_back(number);
  return std::make_shared<ColumnExpression>(reference.type, PatternSource::kReferences, number);
}

NameResult PatternFilterScope::attribute(const ast::Reference& name) {
  auto found = names_.find(name, state_, false);
  if (auto* error = std::get_if<NameError>(&found)) return *error;
  const auto& reference = std::get<PatternReference>(found);
  if (reference.state == state_) {
    // The event that is offered has not been taken yet: the last one is that before it.
    bool indexed = name.index.kind == ast::EventIndex::Kind::kAt && names_.states()[state_].counted;
    bool from_last = name.index.kind == ast::EventIndex::Kind::kFromLast;
    if (!indexed && !from_last) {
      return ExpressionPtr(std::make_shared<ColumnExpression>(
          reference.type, PatternSource::kEvent, static_cast<uint32_t>(reference.column)));
    }
  }
  return ask(reference);
}

NameResult PatternFilterScope::absence(const ast::Reference& name) {
  auto found = names_.find(name, state_, true);
  if (auto* error = std::get_if<NameError>(&found)) return *error;
  return make_not(ask(std::get<PatternReference>(found)));
}

ExpressionPtr PatternSelectScope::ask(const PatternReference& reference) {
  uint32_t number = names_.reference_number(reference);
  auto at = std::find(outputs_.begin(), outputs_.end(), number);
  if (at == outputs_.end()) at = outputs_.insert(at, number);
  return std::make_shared<ColumnExpression>(reference.type, 0,
                                            static_cast<uint32_t>(at - outputs_.begin()));
}

NameResult PatternSelectScope::attribute(const ast::Reference& name) {
  auto found = names_.find(name, std::nullopt, false);
  if (auto* error = std::get_if<NameError>(&found)) return *error;
  return ask(std::get<PatternReference>(found));
}

NameResult PatternSelectScope::absence(const ast::Reference& name) {
  auto found = names_.find(name, std::nullopt, true);
  if (auto* error = std::get_if<NameError>(&found)) return *error;
  return make_not(ask(std::get<PatternReference>(found)));
}

NameResult OutputScope::attribute(const ast::Reference& reference) {
  if (reference.stream.empty()) {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == reference.attribute && values_[i]) return values_[i];
    }
  }
  NameResult result = input_.attribute(reference);
  if (auto* error = std::get_if<NameError>(&result); error != nullptr && error->hint.empty()) {
    error->hint = hint_for(reference.attribute, names_);
  }
  return result;
}

}  // namespace pollux
