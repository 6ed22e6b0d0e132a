#include "engine/operators/aggregator_table.h"

#include <utility>

#include "engine/expression/row_function.h"
#include "engine/types/object_value.h"

namespace pollux {

const std::vector<AggregatorEntry>& aggregator_table() {
  static const std::vector<AggregatorEntry> table = [] {
    std::vector<AggregatorEntry> all = core_aggregators();
    for (const AggregatorEntry& entry : collecting_aggregators()) all.push_back(entry);
    return all;
  }();
  return table;
}

namespace {

std::string core_name(std::string_view name) {
  std::string core(name);
  if (!core.empty() && core[0] >= 'A' && core[0] <= 'Z') core[0] = static_cast<char>(core[0] + 32);
  if (core == "distinctcount") return "distinctCount";
  return core == "stddev" ? "stdDev" : core;
}

}  // namespace

const AggregatorEntry* find_aggregator(std::string_view name_space, std::string_view name) {
  std::string known = name_space.empty() ? core_name(name) : std::string(name);
  for (const AggregatorEntry& entry : aggregator_table()) {
    if (entry.name_space == name_space && entry.name == known) return &entry;
  }
  return nullptr;
}

ExpressionPtr pack_arguments(std::vector<ExpressionPtr> arguments) {
  return make_row_function(AttributeType::kObject, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             std::vector<std::string> parts;
                             for (size_t i = 0; i < in.size(); ++i) {
                               parts.push_back(in.to_object(i));
                             }
                             out.put_made(make_list({parts.begin(), parts.end()}));
                           });
}

}  // namespace pollux
