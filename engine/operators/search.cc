#include "engine/operators/search.h"

#include <utility>

namespace pollux {

void MatchFilter::filter(const Chunk& chunk, const RowStore& store, Expression& condition,
                         size_t first, int64_t now, std::vector<Match>& matches) {
  if (matches.size() == first) return;
  slots_.clear();
  rows_.clear();
  for (size_t m = first; m < matches.size(); ++m) {
    slots_.push_back(matches[m].slot);
    rows_.push_back(chunk.row(matches[m].row));
  }
  held_.clear();
  store.gather(slots_, held_);
  FrameSource sources[2];
  sources[SearchSource::kRow] = {chunk.batch, rows_.data(), 0, false};
  sources[SearchSource::kHeld] = {&held_, nullptr, 0, false};
  picked_.clear();
  select_rows(condition, {static_cast<uint32_t>(slots_.size()), sources, now}, picked_);
  for (size_t i = 0; i < picked_.size(); ++i) matches[first + i] = matches[first + picked_[i]];
  matches.resize(first + picked_.size());
}

TableSearch::TableSearch(Table& table, SearchCondition condition, PlanContext& context)
    : table_(table), condition_(std::move(condition)), context_(context), filter_(table.schema()) {}

void TableSearch::find(const Chunk& chunk, std::vector<Match>& matches) {
  size_t first = matches.size();
  if (condition_.access == SearchCondition::Access::kAll) {
    all_.clear();
    table_.all(all_);
    for (uint32_t i = 0; i < chunk.rows; ++i) {
      size_t from = matches.size();
      for (Slot slot : all_) matches.push_back({i, slot});
      if (condition_.rest) {
        filter_.filter(chunk, table_.store(), *condition_.rest, from, context_.now(), matches);
      }
    }
    return;
  }
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  keys_.clear();
  for (const ExpressionPtr& key : condition_.key) keys_.push_back(key->evaluate(frame));
  const StringRef* encoded = encoder_.encode(keys_, chunk.rows);
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    bool null = false;
    for (const Vec& key : keys_) null = null || key.is_null(i);
    if (null) continue;  // nothing equals null
    if (condition_.access == SearchCondition::Access::kPrimaryKey) {
      Slot slot = table_.find_primary(encoded[i]);
      if (slot != RowStore::kNoSlot) matches.push_back({i, slot});
    } else if (const auto* rows = table_.find_indexed(condition_.index_column, encoded[i])) {
      for (Slot slot : *rows) matches.push_back({i, slot});
    }
  }
  if (condition_.rest) {
    filter_.filter(chunk, table_.store(), *condition_.rest, first, context_.now(), matches);
  }
}

WindowSearch::WindowSearch(WindowOperator& window, bool named, ExpressionPtr condition,
                           PlanContext& context)
    : window_(window),
      named_(named),
      condition_(std::move(condition)),
      context_(context),
      filter_(window.store().schema()) {}

void WindowSearch::find(const Chunk& chunk, std::vector<Match>& matches) {
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    contents_.clear();
    window_.contents(named_ ? 0 : chunk.key(i), contents_);
    size_t first = matches.size();
    for (Slot slot : contents_) matches.push_back({i, slot});
    if (condition_) {
      filter_.filter(chunk, window_.store(), *condition_, first, context_.now(), matches);
    }
  }
}

}  // namespace pollux
