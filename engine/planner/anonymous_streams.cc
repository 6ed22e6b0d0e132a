#include "engine/planner/anonymous_streams.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pollux {
namespace {

constexpr std::string_view kPrefix = "(anonymous) ";

class Namer {
 public:
  /// Hands out `query` behind the queries that it reads from; `inside` of a partition.
  template <class Out>
  void add(ast::Query query, bool inside, std::vector<Out>& out) {
    auto* source = std::get_if<ast::StreamSource>(&query.input);
    if (source != nullptr && source->anonymous) {
      ast::Query before = std::move(*source->anonymous);
      source->anonymous.reset();
      source->stream = std::string(kPrefix) + std::to_string(++count_);
      source->inner = inside;
      before.output.kind = ast::OutputAction::Kind::kInsert;
      before.output.target = source->stream;
      before.output.inner = inside;
      add(std::move(before), inside, out);
    }
    out.emplace_back(std::move(query));
  }

 private:
  size_t count_ = 0;
};

}  // namespace

void name_anonymous_streams(ast::Plan& plan) {
  Namer namer;
  std::vector<ast::Element> elements;
  for (ast::Element& element : plan.elements) {
    if (auto* query = std::get_if<ast::Query>(&element)) {
      namer.add(std::move(*query), false, elements);
      continue;
    }
    auto& partition = std::get<ast::Partition>(element);
    std::vector<ast::Query> queries;
    for (ast::Query& query : partition.queries) namer.add(std::move(query), true, queries);
    partition.queries = std::move(queries);
    elements.emplace_back(std::move(partition));
  }
  plan.elements = std::move(elements);
}

bool is_anonymous_stream(std::string_view name) { return name.starts_with(kPrefix); }

}  // namespace pollux
