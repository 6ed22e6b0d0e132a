#include "engine/planner/size_limits.h"

#include <string>
#include <type_traits>
#include <variant>

namespace pollux {
namespace {

class LimitCheck {
 public:
  explicit LimitCheck(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void check(const ast::Plan& plan) {
    for (const ast::Definition& definition : plan.definitions) {
      std::visit([this](const auto& each) { check_definition(each); }, definition);
    }
    for (const ast::Element& element : plan.elements) {
      if (const auto* query = std::get_if<ast::Query>(&element)) {
        check_query(*query);
      } else {
        check_partition(std::get<ast::Partition>(element));
      }
    }
  }

 private:
  /// Told once, where the first one too many stands.
  void at_most(size_t many, size_t most, const Location& location, const char* what) {
    if (many != most + 1) return;
    diagnostics_.push_back({location, std::string("too many ") + what,
                            "at most " + std::to_string(most), "make several plans of it"});
  }
  /// The whole list is known at once.
  void all_at_most(size_t many, size_t most, const Location& location, const char* what) {
    if (many > most) at_most(most + 1, most, location, what);
  }

  template <class D>
  void check_definition(const D& definition) {
    at_most(++definitions_, kDefinitionsMax, definition.location, "definitions");
    if constexpr (std::is_base_of_v<ast::StreamDefinition, D>) {
      all_at_most(definition.attributes.size(), kAttributesMax, definition.location, "attributes");
    }
    if constexpr (std::is_same_v<ast::AggregationDefinition, D>) {
      check_source(definition.source);
      check_selector(definition.selector);
    }
  }

  void check_selector(const ast::Selector& selector) {
    all_at_most(selector.attributes.size(), kAttributesMax, selector.location, "attributes");
    all_at_most(selector.group_by.size(), kAttributesMax, selector.location, "keys of 'group by'");
    all_at_most(selector.order_by.size(), kAttributesMax, selector.location, "keys of 'order by'");
  }

  void check_source(const ast::StreamSource& source) {
    all_at_most(source.handlers.size(), kHandlersMax, source.location, "filters and functions");
    if (source.anonymous) check_query(*source.anonymous);
  }

  void check_state(const ast::StateElement& element) {
    check_source(element.source);
    for (const ast::StateElement& child : element.children) check_state(child);
  }

  void check_query(const ast::Query& query) {
    at_most(++queries_, kQueriesMax, query.location, "queries");
    if (const auto* source = std::get_if<ast::StreamSource>(&query.input)) {
      check_source(*source);
    } else if (const auto* join = std::get_if<ast::JoinInput>(&query.input)) {
      check_source(join->left);
      check_source(join->right);
    } else {
      check_state(std::get<ast::StateInput>(query.input).root);
    }
    check_selector(query.selector);
    all_at_most(query.output.set.size(), kAttributesMax, query.output.location, "assignments");
  }

  void check_partition(const ast::Partition& partition) {
    all_at_most(partition.keys.size(), kPartitionKeysMax, partition.location, "partition keys");
    for (const ast::PartitionKey& key : partition.keys) {
      all_at_most(key.ranges.size(), kPartitionKeysMax, key.location, "ranges");
    }
    for (const ast::Query& query : partition.queries) check_query(query);
  }

  Diagnostics& diagnostics_;
  size_t definitions_ = 0;
  size_t queries_ = 0;
};

}  // namespace

void check_size_limits(const ast::Plan& plan, Diagnostics& diagnostics) {
  LimitCheck(diagnostics).check(plan);
}

}  // namespace pollux
