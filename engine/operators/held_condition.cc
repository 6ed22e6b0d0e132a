#include "engine/operators/held_condition.h"

#include <utility>

namespace pollux {
namespace {

SchemaPtr results_schema(const HeldCondition::Plan& plan) {
  std::vector<Attribute> columns;
  for (const SelectorPlan::Aggregate& aggregate : plan.aggregates) {
    columns.push_back({"", aggregate.function->result_type()});
  }
  return std::make_shared<Schema>("", std::move(columns));
}

}  // namespace

HeldCondition::HeldCondition(Plan plan)
    : plan_(std::move(plan)),
      row_(plan_.schema),
      first_(plan_.schema),
      last_(plan_.schema),
      results_(results_schema(plan_)) {}

void HeldCondition::read(const RowStore& store, Slot slot, EventBatch& to) const {
  to.clear();
  for (uint32_t column : plan_.columns) store.gather_column(&slot, 1, column, to.column(column));
  to.end_row(store.timestamp(slot));
}

bool HeldCondition::ask(uint32_t group, const RowStore& store, Rows rows, int64_t clock,
                        bool goes) {
  read(store, rows.row, row_);
  if (rows.first != rows.row) read(store, rows.first, first_);
  if (rows.last != rows.row) read(store, rows.last, last_);
  FrameSource sources[4];
  sources[HeldSource::kRow] = {&row_, nullptr, 0, true};
  sources[SelectorSource::kAggregates] = {&results_, nullptr, 0, true};
  sources[HeldSource::kFirst] = {rows.first == rows.row ? &row_ : &first_, nullptr, 0, true};
  sources[HeldSource::kLast] = {rows.last == rows.row ? &row_ : &last_, nullptr, 0, true};
  Frame frame{1, sources, clock};
  const uint8_t removes = goes ? 1 : 0;
  results_.clear();
  for (size_t a = 0; a < plan_.aggregates.size(); ++a) {
    SelectorPlan::Aggregate& aggregate = plan_.aggregates[a];
    AggregateSteps steps{1, &group, &removes};
    if (aggregate.argument) steps.argument = aggregate.argument->evaluate(frame);
    aggregate.function->run(steps, results_.column(a));
  }
  results_.end_row(clock);
  selected_.clear();
  select_rows(*plan_.condition, frame, selected_);
  return !selected_.empty();
}

void HeldCondition::reset(uint32_t group) {
  for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) aggregate.function->reset(group);
}

void HeldCondition::release(uint32_t group) {
  for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) aggregate.function->release(group);
}

void HeldCondition::archive(StateArchive& archive) {
  for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) {
    aggregate.function->archive_state(archive);
  }
}

size_t HeldCondition::state_bytes() const {
  size_t bytes = 0;
  for (const SelectorPlan::Aggregate& aggregate : plan_.aggregates) {
    bytes += aggregate.function->state_bytes();
  }
  return bytes;
}

}  // namespace pollux
