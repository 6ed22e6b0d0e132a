// `output snapshot every t`: at each tick the present state of what the query selected.
//
// Which state that is depends on whether rows leave again (a window, a join), on groups, and on how
// many of the attributes are aggregates.
#include <algorithm>
#include <map>
#include <optional>

#include "tests/oracle/rate_limiter.h"

namespace pollux::oracle {

namespace {

class Snapshot : public PerTime {
 public:
  Snapshot(const RatePlan& plan, Clock& clock) : PerTime(plan.rate->amount, clock) {
    tells_empty_ = true;
  }
};

// The last row, or the last of each group; nothing leaves.
class LastRows : public Snapshot {
 public:
  LastRows(const RatePlan& plan, Clock& clock) : Snapshot(plan, clock), grouped_(plan.grouped) {}

  void process(CombinedChunk chunk) override {
    for (Combined& event : chunk) {
      if (event.kind != EventKind::kCurrent) continue;
      auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Combined& row) {
        return !grouped_ || row.group == event.group;
      });
      if (found == rows_.end()) {
        rows_.push_back(std::move(event));
      } else {
        *found = std::move(event);
      }
    }
  }

 private:
  CombinedChunk take() override { return rows_; }
  bool grouped_;
  CombinedChunk rows_;
};

// Everything is an aggregate, no groups: the row of the newest event, if that came in.
class LastAggregate : public Snapshot {
 public:
  using Snapshot::Snapshot;

  void process(CombinedChunk chunk) override {
    for (Combined& event : chunk) {
      row_.clear();
      if (event.kind == EventKind::kCurrent) row_ = {std::move(event)};
    }
  }

 private:
  CombinedChunk take() override { return row_; }
  CombinedChunk row_;
};

// Everything is an aggregate: the newest row of each group, while the group has rows.
class LastAggregates : public Snapshot {
 public:
  using Snapshot::Snapshot;

  void process(CombinedChunk chunk) override {
    for (Combined& event : chunk) {
      auto found = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
        return group.newest.group == event.group;
      });
      if (found == groups_.end()) found = groups_.insert(found, Group{});
      found->rows += event.kind == EventKind::kCurrent ? 1 : -1;
      found->newest = std::move(event);
    }
  }

 private:
  struct Group {
    Combined newest;
    int64_t rows = 0;
  };

  CombinedChunk take() override {
    std::erase_if(groups_, [](const Group& group) { return group.rows <= 0; });
    CombinedChunk rows;
    for (const Group& group : groups_) rows.push_back(group.newest);
    return rows;
  }

  std::vector<Group> groups_;
};

// The rows in the window. Aggregates are as the newest event has them; with groups and aggregates
// only the oldest row of each group comes out.
class WindowRows : public Snapshot {
 public:
  WindowRows(const RatePlan& plan, Clock& clock)
      : Snapshot(plan, clock), aggregated_(plan.aggregated) {
    aggregates_ = std::find(aggregated_.begin(), aggregated_.end(), true) != aggregated_.end();
    by_group_ = plan.grouped && aggregates_;
  }

  void process(CombinedChunk chunk) override {
    for (Combined& event : chunk) {
      if (event.kind == EventKind::kReset) {
        rows_.clear();
        newest_.clear();
        continue;
      }
      std::string group = by_group_ ? event.group : "";
      Row output = event.output;
      if (event.kind == EventKind::kCurrent) {
        rows_.push_back(std::move(event));
      } else {
        auto gone = std::find_if(rows_.begin(), rows_.end(), [&](const Combined& row) {
          return (!by_group_ || row.group == group) && shows_the_same(row.output, output);
        });
        if (gone == rows_.end()) continue;
        rows_.erase(gone);
      }
      newest_[group] = std::move(output);
    }
  }

 private:
  bool shows_the_same(const Row& left, const Row& right) const {
    for (size_t i = 0; i < left.size(); ++i) {
      if (!aggregated_[i] && !same_value(left[i], right[i])) return false;
    }
    return true;
  }

  CombinedChunk take() override {
    CombinedChunk out;
    for (const Combined& row : rows_) {
      bool shown = by_group_ && std::any_of(out.begin(), out.end(), [&](const Combined& other) {
                     return other.group == row.group;
                   });
      if (shown) continue;
      out.push_back(row);
      const Row& newest = newest_[by_group_ ? row.group : ""];
      for (size_t i = 0; i < aggregated_.size(); ++i) {
        if (aggregated_[i]) out.back().output[i] = newest[i];
      }
    }
    return out;
  }

  std::vector<bool> aggregated_;
  bool aggregates_ = false, by_group_ = false;
  CombinedChunk rows_;
  std::map<std::string, Row> newest_;  ///< output of the newest event, by group
};

}  // namespace

std::unique_ptr<RateLimiter> make_snapshot(const RatePlan& plan, Clock& clock) {
  if (!plan.windowed) return std::make_unique<LastRows>(plan, clock);
  bool all =
      std::find(plan.aggregated.begin(), plan.aggregated.end(), false) == plan.aggregated.end();
  if (!all) return std::make_unique<WindowRows>(plan, clock);
  if (plan.grouped) return std::make_unique<LastAggregates>(plan, clock);
  return std::make_unique<LastAggregate>(plan, clock);
}

}  // namespace pollux::oracle
