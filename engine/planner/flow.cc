#include "engine/planner/flow.h"

#include <algorithm>
#include <cstdint>
#include <set>

namespace pollux {

bool Flow::row_by_row() const {
  if (forced_ || asks_for_the_past()) return true;
  Readers readers = readers_by_stream();
  for (const auto& [stream, queries] : readers) {
    std::vector<const Query*> reached;
    if (!reach(stream, readers, reached) || share_written_table(reached)) return true;
  }
  return false;
}

Flow::Readers Flow::readers_by_stream() const {
  Readers readers;
  for (const Query& query : queries_) {
    for (const std::string& read : query.reads) readers[read].push_back(&query);
  }
  return readers;
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

/// Queries whose readers are all known come off from the ends; what is left stands in loops.
std::optional<size_t> Flow::longest_chain() const {
  Readers readers = readers_by_stream();
  std::map<std::string, std::vector<const Query*>> writers;
  std::map<const Query*, size_t> unknown;  // how many of its readers
  std::map<const Query*, size_t> chain;    // queries from this one on, of those that are known
  std::vector<const Query*> ready;
  for (const Query& query : queries_) {
    auto next = readers.find(query.writes);
    unknown[&query] = next == readers.end() ? 0 : next->second.size();
    if (unknown[&query] == 0) ready.push_back(&query);
    writers[query.writes].push_back(&query);
  }
  size_t longest = 0;
  size_t known = 0;
  for (; !ready.empty(); ++known) {
    const Query* query = ready.back();
    ready.pop_back();
    size_t length = ++chain[query];
    longest = std::max(longest, length);
    for (const std::string& read : query->reads) {
      for (const Query* before : writers[read]) {
        chain[before] = std::max(chain[before], length);
        if (--unknown[before] == 0) ready.push_back(before);
      }
    }
  }
  return known == queries_.size() ? std::optional(longest) : std::nullopt;
}

bool Flow::reach(const std::string& stream, const Readers& readers,
                 std::vector<const Query*>& reached) {
  std::set<const Query*> seen;
  std::vector<std::string> ahead = {stream};
  while (!ahead.empty()) {
    auto next = readers.find(ahead.back());
    ahead.pop_back();
    if (next == readers.end()) continue;
    for (const Query* query : next->second) {
      if (!seen.insert(query).second) return false;
      reached.push_back(query);
      if (!query->writes.empty()) ahead.push_back(query->writes);
    }
  }
  return true;
}

bool Flow::share_written_table(const std::vector<const Query*>& queries) {
  std::map<std::string, size_t> touched;  // by how many of the queries
  for (const Query* query : queries) {
    std::set<std::string> tables(query->tables_read.begin(), query->tables_read.end());
    if (!query->table_written.empty()) tables.insert(query->table_written);
    for (const std::string& table : tables) ++touched[table];
  }
  return std::any_of(queries.begin(), queries.end(), [&](const Query* query) {
    if (query->table_written.empty()) return false;
    const auto& read = query->tables_read;
    return touched[query->table_written] > 1 ||
           std::find(read.begin(), read.end(), query->table_written) != read.end();
  });
}

}  // namespace pollux
