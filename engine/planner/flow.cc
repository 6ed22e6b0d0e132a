#include "engine/planner/flow.h"

#include <algorithm>
#include <set>

namespace pollux {

bool Flow::row_by_row() const {
  if (forced_) return true;
  std::set<std::string> streams;
  for (const Query& query : queries_) streams.insert(query.reads.begin(), query.reads.end());
  for (const std::string& stream : streams) {
    std::vector<const Query*> reached;
    if (!reach(stream, reached, 0) || share_written_table(reached)) return true;
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
