#include "engine/operators/table_writer.h"

#include <string>
#include <utility>

namespace pollux {

ChangeTable::ChangeTable(Table& table, TableChange change, PlanContext& context)
    : table_(table),
      change_(std::move(change)),
      context_(context),
      search_(table, change_.condition, context),
      held_(table.schema()) {}

void ChangeTable::receive(const Selected& selected) {
  for (uint32_t i = 0; i < selected.chunk.rows; ++i) {
    Chunk row;
    row.batch = selected.chunk.batch;
    row.rows = 1;
    row.begin = selected.chunk.row(i);
    matches_.clear();
    search_.find(row, matches_);
    if (matches_.empty() && change_.kind == TableChange::Kind::kUpdateOrInsert) {
      table_.insert(row, 0);
      continue;
    }
    if (change_.kind != TableChange::Kind::kDelete) {
      update_matches(row);
      continue;
    }
    for (const Match& match : matches_) table_.erase(match.slot);
  }
}

/// An update that would give two rows one primary key changes nothing.
void ChangeTable::update_matches(const Chunk& row) {
  if (table_.changes_key(change_.columns)) {
    std::vector<Slot> slots;
    std::vector<std::string> keys;
    for (const Match& match : matches_) {
      slots.push_back(match.slot);
      keys.push_back(table_.key_after(match.slot, change_.columns, values_for(row, match.slot), 0));
    }
    if (!table_.change_keys(slots, keys)) return;
  }
  for (const Match& match : matches_) {
    table_.update(match.slot, change_.columns, values_for(row, match.slot), 0);
  }
}

std::vector<Vec> ChangeTable::values_for(const Chunk& row, Slot slot) {
  held_.clear();
  table_.store().gather({slot}, held_);
  FrameSource sources[2];
  sources[SearchSource::kRow] = row.source();
  sources[SearchSource::kHeld] = {&held_, nullptr, 0, false};
  Frame frame{1, sources, context_.now()};
  std::vector<Vec> values;
  for (const ExpressionPtr& value : change_.values) values.push_back(value->evaluate(frame));
  return values;
}

}  // namespace pollux
