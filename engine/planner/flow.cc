#include "engine/planner/flow.h"

#include <algorithm>
#include <cstdint>
#include <set>

namespace pollux {

bool Flow::row_by_row() const {
  if (forced_ || asks_for_the_past()) return true;
  std::set<std::string> streams;
  for (const Query& query : queries_) streams.insert(query.reads.begin(), query.reads.end());
  for (const std::string& stream : streams) {
    std::vector<const Query*> reached;
    if (!reach(stream, reached, 0) || share_written_table(reached)) return true;
  }
  return false;
}

bool Flow::asks_for_the_past() const {
  std::set<std::string> late;
  auto reads_late = [&](const Query& query) {
    return std::any_of(query.reads.begin(), query.reads.end(),
                       [&](const std::string& read) { return late.count(read) > 0; });
  };
  for (size_t before = SIZE_MAX; before != late.size();) {
    before = late.size();
    for (const Query& query : queries_) {
      if (query.holds_back || reads_late(query)) late.insert(query.writes);
    }
  }
  return std::any_of(queries_.begin(), queries_.end(), [&](const Query& query) {
    return query.counts_from_timestamps && reads_late(query);
  });
}

bool Flow::loops() const {
  for (const Query& query : queries_) {
    std::set<std::string> fed = {query.writes};
    for (size_t before = 0; before != fed.size();) {
      before = fed.size();
      for (const Query& next : queries_) {
        bool reads = std::any_of(next.reads.begin(), next.reads.end(),
                                 [&](const std::string& read) { return fed.count(read) > 0; });
        if (reads) fed.insert(next.writes);
      }
    }
    for (const std::string& read : query.reads) {
      if (!query.writes.empty() && fed.count(read) > 0) return true;
    }
  }
  return false;
}

bool Flow::reach(const std::string& stream, std::vector<const Query*>& reached,
                 size_t depth) const {
  if (depth > queries_.size()) return false;  // a loop
  for (const Query& query : queries_) {
    for (const std::string& read : query.reads) {
      if (read != stream) continue;
      if (std::find(reached.begin(), reached.end(), &query) != reached.end()) return false;
      reached.push_back(&query);
      if (!query.writes.empty() && !reach(query.writes, reached, depth + 1)) return false;
    }
  }
  return true;
}

bool Flow::share_written_table(const std::vector<const Query*>& queries) {
  for (const Query* writer : queries) {
    const std::string& table = writer->table_written;
    if (table.empty()) continue;
    for (const Query* other : queries) {
      if (other != writer && other->table_written == table) return true;
      const auto& read = other->tables_read;
      if (std::find(read.begin(), read.end(), table) != read.end()) return true;
    }
  }
  return false;
}

}  // namespace pollux
