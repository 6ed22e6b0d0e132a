#include "engine/language/tree_bytes.h"

#include <algorithm>
#include <bit>
#include <cctype>

namespace pollux {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

template <class Enum>
int64_t number_of(Enum value) {
  return static_cast<int64_t>(value);
}

}  // namespace

void TreeBytes::add_number(int64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    bytes_ += static_cast<char>(static_cast<uint8_t>(static_cast<uint64_t>(number) >> shift));
  }
}

void TreeBytes::add_text(std::string_view text) {
  add_number(static_cast<int64_t>(text.size()));
  bytes_ += text;
}

void TreeBytes::add_optional(const std::optional<int64_t>& number) {
  add_number(number ? 1 : 0);
  add_number(number.value_or(0));
}

void TreeBytes::add(const Value& constant) {
  struct Adder {
    TreeBytes& to;
    void operator()(std::monostate) const {}
    void operator()(bool flag) const { to.add_number(flag ? 1 : 0); }
    void operator()(int32_t number) const { to.add_number(number); }
    void operator()(int64_t number) const { to.add_number(number); }
    void operator()(float number) const { to.add_number(std::bit_cast<int32_t>(number)); }
    void operator()(double number) const { to.add_number(std::bit_cast<int64_t>(number)); }
    void operator()(const std::string& text) const { to.add_text(text); }
    void operator()(const ObjectValue& object) const { to.add_text(object.bytes); }
  };
  add_number(static_cast<int64_t>(constant.index()));
  std::visit(Adder{*this}, constant);
}

void TreeBytes::add_stream(std::string_view name, bool inner, bool fault,
                           std::vector<std::string>& seen) {
  // One that stands in place of an anonymous stream has a name that counts them.
  constexpr std::string_view kAnonymous = "(anonymous) ";
  add_number((inner ? 1 : 0) + (fault ? 2 : 0));
  add_text(name.starts_with(kAnonymous) ? kAnonymous : name);
  if (!inner) seen.push_back((fault ? "!" : "") + std::string(name));
}

void TreeBytes::add(const ast::Annotation& annotation) {
  add_text(lower_case(annotation.name));
  add_number(static_cast<int64_t>(annotation.elements.size()));
  for (const ast::AnnotationElement& element : annotation.elements) {
    add_text(lower_case(element.key));
    add_text(element.value);
  }
  add(annotation.annotations);
}

void TreeBytes::add(const std::vector<ast::Annotation>& annotations) {
  for (const ast::Annotation& annotation : annotations) {
    if (lower_case(annotation.name) == "info") continue;
    add_number(1);
    add(annotation);
  }
  add_number(0);
}

void TreeBytes::add(const ast::EventIndex& index) {
  add_number(number_of(index.kind));
  add_number(index.offset);
}

void TreeBytes::add(const ast::Reference& reference) {
  add_number((reference.inner ? 1 : 0) + (reference.fault ? 2 : 0));
  add_text(reference.stream);
  add(reference.index);
  add_text(reference.second_stream);
  add(reference.second_index);
  add_text(reference.attribute);
}

void TreeBytes::add(const ast::ExpressionPtr& expression) {
  add_number(expression ? 1 : 0);
  if (expression) add(*expression);
}

void TreeBytes::add(const std::vector<ast::ExpressionPtr>& expressions) {
  add_number(static_cast<int64_t>(expressions.size()));
  for (const ast::ExpressionPtr& expression : expressions) add(expression);
}

void TreeBytes::add(const ast::Expression& expression) {
  using Kind = ast::Expression::Kind;
  add_number(number_of(expression.kind));
  add(expression.constant);
  add(expression.reference);
  add_text(expression.name_space);
  add_text(expression.name);
  add_number(expression.star ? 1 : 0);
  add_text(expression.table);
  add(expression.arguments);
  if (expression.kind == Kind::kIn) sources_.push_back(expression.table);
  if (expression.kind == Kind::kFunction && expression.name_space.empty()) {
    functions_.push_back(expression.name);
  }
}

void TreeBytes::add(const ast::StreamHandler& handler) {
  add_number(number_of(handler.kind));
  add(handler.filter);
  add_text(handler.name_space);
  add_text(handler.name);
  add(handler.arguments);
  add_number(handler.star ? 1 : 0);
}

void TreeBytes::add(const ast::StreamSource& source) {
  add_stream(source.stream, source.inner, source.fault, sources_);
  add_text(source.alias);
  add_number(static_cast<int64_t>(source.handlers.size()));
  for (const ast::StreamHandler& handler : source.handlers) add(handler);
  add_number(source.anonymous ? 1 : 0);
  if (source.anonymous) add(*source.anonymous);
}

void TreeBytes::add(const ast::JoinInput& join) {
  add_number(number_of(join.kind));
  add_number(number_of(join.trigger));
  add(join.left);
  add(join.right);
  add(join.on);
  add_optional(join.within_ms);
  add(join.within);
  add(join.per);
}

void TreeBytes::add(const ast::StateElement& element) {
  add_number(number_of(element.kind));
  add(element.source);
  add_number(element.min_count);
  add_number(element.max_count);
  add_number(element.counted ? 1 : 0);
  add_optional(element.for_ms);
  add_optional(element.within_ms);
  add_number(static_cast<int64_t>(element.children.size()));
  for (const ast::StateElement& child : element.children) add(child);
}

void TreeBytes::add(const ast::StateInput& input) {
  add_number(input.sequence ? 1 : 0);
  add(input.root);
  add_optional(input.within_ms);
  add_number(input.within_last_part ? 1 : 0);
}

void TreeBytes::add(const ast::Selector& selector) {
  add_number(selector.star ? 1 : 0);
  add_number(static_cast<int64_t>(selector.attributes.size()));
  for (const ast::OutputAttribute& attribute : selector.attributes) {
    add(attribute.expression);
    add_text(attribute.name);
  }
  add(selector.group_by);
  add(selector.having);
  add_number(static_cast<int64_t>(selector.order_by.size()));
  for (const ast::OrderBy& order : selector.order_by) {
    add(order.expression);
    add_number(order.descending ? 1 : 0);
  }
  add(selector.limit);
  add(selector.offset);
}

void TreeBytes::add(const ast::OutputRate& rate) {
  add_number(number_of(rate.kind));
  add_number(number_of(rate.which));
  add_number(rate.amount);
}

void TreeBytes::add(const ast::OutputAction& output) {
  add_number(number_of(output.kind));
  add_number(number_of(output.events));
  add_number(output.raw ? 1 : 0);
  add_stream(output.target, output.inner, output.fault, targets_);
  add_number(static_cast<int64_t>(output.set.size()));
  for (const ast::Assignment& assignment : output.set) {
    add(assignment.target);
    add(assignment.value);
  }
  add(output.on);
}

void TreeBytes::add(const ast::Query& query) {
  add(query.annotations);
  add_number(static_cast<int64_t>(query.input.index()));
  std::visit([this](const auto& input) { add(input); }, query.input);
  add(query.selector);
  add(query.rate);
  add(query.output);
}

void TreeBytes::add(const ast::Partition& partition) {
  add(partition.annotations);
  add_number(static_cast<int64_t>(partition.keys.size()));
  for (const ast::PartitionKey& key : partition.keys) {
    add_stream(key.stream, false, false, sources_);
    add(key.value);
    add_number(static_cast<int64_t>(key.ranges.size()));
    for (const ast::PartitionRange& range : key.ranges) {
      add(range.condition);
      add_text(range.key);
    }
  }
  add_number(static_cast<int64_t>(partition.queries.size()));
  for (const ast::Query& query : partition.queries) add(query);
}

void TreeBytes::add(const ast::StreamDefinition& definition) {
  add_text(definition.name);
  add_number(static_cast<int64_t>(definition.attributes.size()));
  for (const ast::AttributeDefinition& attribute : definition.attributes) {
    add_text(attribute.name);
    add_number(number_of(attribute.type));
  }
  add(definition.annotations);
}

void TreeBytes::add(const ast::WindowDefinition& definition) {
  add(static_cast<const ast::StreamDefinition&>(definition));
  add(definition.window);
  add_number(number_of(definition.events));
}

void TreeBytes::add(const ast::TriggerDefinition& definition) {
  add_text(definition.name);
  add_optional(definition.every_ms);
  add_text(definition.at);
  add(definition.annotations);
}

void TreeBytes::add(const ast::FunctionDefinition& definition) {
  add_text(definition.name);
  add_text(lower_case(definition.language));
  add_number(number_of(definition.returns));
  add_text(definition.body);
  add(definition.annotations);
}

void TreeBytes::add(const ast::AggregationDefinition& definition) {
  add_text(definition.name);
  add(definition.source);
  add(definition.selector);
  add_number(definition.by ? 1 : 0);
  if (definition.by) add(*definition.by);
  add_number(static_cast<int64_t>(definition.durations.size()));
  for (const std::string& duration : definition.durations) add_text(duration);
  add_number(definition.range ? 1 : 0);
  add(definition.annotations);
}

}  // namespace pollux
