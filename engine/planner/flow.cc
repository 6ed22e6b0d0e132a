#include "engine/planner/flow.h"

#include <set>

namespace pollux {

bool Flow::row_by_row() const {
  if (forced_) return true;
  for (const Query& writer : queries_) {
    if (writer.table_written.empty()) continue;
    for (const Query& other : queries_) {
      if (&other != &writer && other.table_written == writer.table_written) return true;
      for (const std::string& table : other.tables_read) {
        if (table == writer.table_written) return true;
      }
    }
  }
  std::set<std::string> streams;
  for (const Query& query : queries_) streams.insert(query.reads.begin(), query.reads.end());
  for (const std::string& stream : streams) {
    std::map<const Query*, int> ways;
    if (reaches_twice(stream, ways, 0)) return true;
  }
  return false;
}

bool Flow::reaches_twice(const std::string& stream, std::map<const Query*, int>& ways,
                         int depth) const {
  if (depth > static_cast<int>(queries_.size())) return true;  // a loop
  for (const Query& query : queries_) {
    for (const std::string& read : query.reads) {
      if (read != stream) continue;
      if (++ways[&query] > 1) return true;
      if (!query.writes.empty() && reaches_twice(query.writes, ways, depth + 1)) return true;
    }
  }
  return false;
}

}  // namespace pollux
