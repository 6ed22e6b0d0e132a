#include "engine/planner/unit_hashes.h"

#include <utility>

#include "engine/base/hash.h"
#include "engine/planner/annotations.h"

namespace pollux {
namespace {

void add_schema(const Schema& schema, TreeBytes& bytes) {
  bytes.add_number(static_cast<int64_t>(schema.size()));
  for (const Attribute& attribute : schema.attributes()) {
    bytes.add_text(attribute.name);
    bytes.add_number(static_cast<int64_t>(attribute.type));
  }
}

/// The definition of that kind and name; null when there is none.
template <class Definition>
const Definition* find_definition(const ast::Plan& tree, const std::string& name) {
  for (const ast::Definition& definition : tree.definitions) {
    const auto* wanted = std::get_if<Definition>(&definition);
    if (wanted != nullptr && wanted->name == name) return wanted;
  }
  return nullptr;
}

}  // namespace

UnitHashes::UnitHashes(const ast::Plan& tree, Plan& plan) : tree_(tree), plan_(plan) {}

uint64_t UnitHashes::hash(TreeBytes bytes) const {
  bytes.add_number(static_cast<int64_t>(plan_.context().dialect()));
  bytes.add_number(plan_.context().loops() ? 1 : 0);
  for (const char* key : {"app:playback", "plan:playback"}) {
    const ast::Annotation* playback = find_annotation(tree_.annotations, key);
    bytes.add_number(playback == nullptr ? 0 : 1);
    if (playback != nullptr) bytes.add(*playback);
  }
  for (size_t i = 0; i < bytes.sources().size(); ++i) add_source(bytes.sources()[i], bytes);
  for (const std::string& target : bytes.targets()) {
    bytes.add_number(static_cast<int64_t>(kind_of(target)));
  }
  for (size_t i = 0; i < bytes.functions().size(); ++i) add_function(bytes.functions()[i], bytes);
  return XXH3_64bits(bytes.bytes().data(), bytes.bytes().size());
}

UnitHashes::Kind UnitHashes::kind_of(const std::string& name) const {
  if (plan_.find_window(name) != nullptr) return Kind::kWindow;
  if (plan_.all_tables().contains(name)) return Kind::kTable;
  if (plan_.find_aggregation(name) != nullptr) return Kind::kAggregation;
  if (plan_.find_external(name) != nullptr) return Kind::kExternal;
  return plan_.find_stream(name) == nullptr ? Kind::kNone : Kind::kStream;
}

void UnitHashes::add_source(const std::string& name, TreeBytes& bytes) const {
  Kind kind = kind_of(name);
  bytes.add_number(static_cast<int64_t>(kind));
  switch (kind) {
    case Kind::kNone:
      return;
    case Kind::kStream:
      return add_schema(*plan_.find_stream(name)->junction->schema(), bytes);
    case Kind::kTable:
      return add_schema(*plan_.all_tables().at(name)->schema(), bytes);
    case Kind::kExternal:
      return add_schema(*plan_.find_external(name)->rows->schema(), bytes);
    case Kind::kAggregation:
      return add_schema(*plan_.find_aggregation(name)->schema(), bytes);
    case Kind::kWindow:
      if (const auto* window = find_definition<ast::WindowDefinition>(tree_, name)) {
        bytes.add(*window);
      }
  }
}

void UnitHashes::add_function(const std::string& name, TreeBytes& bytes) const {
  const auto* function = find_definition<ast::FunctionDefinition>(tree_, name);
  bytes.add_number(function == nullptr ? 0 : 1);
  if (function != nullptr) bytes.add(*function);
}

}  // namespace pollux
