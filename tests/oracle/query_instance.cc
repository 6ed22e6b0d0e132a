#include "tests/oracle/query_instance.h"

#include "tests/oracle/named_window.h"

namespace pollux::oracle {

Instance::Instance(const QueryPlan::Parts& parts, const Surroundings& where)
    : parts_(parts),
      where_(where),
      selector_(parts.selector, where.plan->clock, where.plan->table_pointers),
      rate_(make_rate_limiter(parts.rate(), where.plan->clock,
                              [this](CombinedChunk chunk) { let_out(std::move(chunk)); })) {}

void Instance::select(std::vector<CombinedChunk> chunks) {
  CombinedChunk out;
  for (CombinedChunk& chunk : chunks) {
    plan().work.add(chunk.size());
    CombinedChunk selected = selector_.select(std::move(chunk));
    std::move(selected.begin(), selected.end(), std::back_inserter(out));
  }
  if (!out.empty()) rate_->process(std::move(out));
}

void Instance::let_out(CombinedChunk chunk) {
  if (gathered_ != nullptr) {
    std::move(chunk.begin(), chunk.end(), std::back_inserter(*gathered_));
    return;
  }
  deliver(chunk);
  if (chunk.empty()) return;
  Chunk events;
  for (Combined& event : chunk) {
    events.push_back({EventKind::kCurrent, event.timestamp, std::move(event.output)});
  }
  if (parts_.table != nullptr) {
    change_table(events);
  } else if (!parts_.target.empty()) {
    insert(events);
  }
}

void Instance::deliver(const CombinedChunk& chunk) {
  if (!plan().record_deliveries || parts_.info_name.empty()) return;
  Delivery delivery{parts_.info_name, true, {}};
  for (const Combined& event : chunk) {
    delivery.events.push_back({event.kind, event.timestamp, event.output});
  }
  plan().deliveries.push_back(std::move(delivery));
}

void Instance::insert(const Chunk& events) {
  if (parts_.window != nullptr) return parts_.window->add(events);
  bool inner = parts_.target[0] == '#';
  if (!inner) {
    for (const Event& event : events) {
      plan().results.push_back({parts_.target, event.timestamp, event.data});
    }
  }
  if (plan().record_deliveries) plan().deliveries.push_back({parts_.target, false, events});
  Junctions& junctions = inner ? *where_.inner : plan().streams;
  junctions.at(parts_.target)->send(events);
}

void Instance::change_table(const Chunk& events) {
  std::vector<Row> rows;
  for (const Event& event : events) rows.push_back(event.data);
  plan().work.add(rows.size() * parts_.table->rows().size());
  switch (parts_.query->output.kind) {
    case ast::OutputAction::Kind::kInsert:
      for (const Row& row : rows) parts_.table->add(row);
      break;
    case ast::OutputAction::Kind::kDelete:
      for (const Row& row : rows) parts_.table->remove(row, parts_.on);
      break;
    case ast::OutputAction::Kind::kUpdate:
      for (const Row& row : rows) parts_.table->update(row, parts_.on, parts_.set);
      break;
    default:
      parts_.table->update_or_add(rows, parts_.on, parts_.set);
  }
}

}  // namespace pollux::oracle
