#include "engine/planner/plan_describer.h"

#include <utility>

#include "engine/planner/annotation_text.h"
#include "engine/planner/annotations.h"

namespace pollux {
namespace {

StreamMapping mapping_of(AnnotationText text) {
  StreamMapping map;
  map.type = take_option(text.options, "type");
  map.options = std::move(text.options);
  map.location = text.location;
  if (const AnnotationText* payload = text.find("payload")) map.payload = payload->options;
  if (const AnnotationText* attributes = text.find("attributes")) {
    map.attributes = attributes->options;
  }
  return map;
}

void add_endpoints(const ast::StreamDefinition& definition,
                   std::vector<StreamEndpoint>& endpoints) {
  for (const ast::Annotation& annotation : definition.annotations) {
    bool source = same_name(annotation.name, "source");
    if (!source && !same_name(annotation.name, "sink")) continue;
    AnnotationText text = text_of(annotation);
    StreamEndpoint endpoint;
    endpoint.kind = source ? StreamEndpoint::Kind::kSource : StreamEndpoint::Kind::kSink;
    endpoint.stream = definition.name;
    endpoint.type = take_option(text.options, "type");
    endpoint.options = std::move(text.options);
    endpoint.location = text.location;
    for (AnnotationText& nested : text.nested) {
      if (!endpoint.map && same_name(nested.name, "map")) {
        endpoint.map = mapping_of(std::move(nested));
      } else {
        endpoint.nested.push_back(std::move(nested));
      }
    }
    endpoints.push_back(std::move(endpoint));
  }
}

void add_query(const ast::Query& query, bool partitioned, std::vector<QueryDescription>& queries) {
  QueryDescription description;
  if (const ast::Annotation* info = find_annotation(query.annotations, "info")) {
    description.name = annotation_value(*info, "name").value_or("");
  }
  description.index = static_cast<uint32_t>(queries.size());
  description.partitioned = partitioned;
  description.location = query.location;
  queries.push_back(std::move(description));
}

}  // namespace

PlanDescription describe_tree(const ast::Plan& tree) {
  PlanDescription description;
  for (const char* key : {"app:description", "plan:description"}) {
    const ast::Annotation* annotation = find_annotation(tree.annotations, key);
    if (annotation == nullptr) continue;
    description.description = annotation_value(*annotation, "").value_or("");
  }
  for (const ast::Definition& definition : tree.definitions) {
    if (const auto* stream = std::get_if<ast::StreamDefinition>(&definition)) {
      add_endpoints(*stream, description.endpoints);
    }
  }
  for (const ast::Element& element : tree.elements) {
    if (const auto* query = std::get_if<ast::Query>(&element)) {
      add_query(*query, false, description.queries);
      continue;
    }
    for (const ast::Query& query : std::get<ast::Partition>(element).queries) {
      add_query(query, true, description.queries);
    }
  }
  return description;
}

}  // namespace pollux
