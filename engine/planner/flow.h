// Who reads and writes what in a plan: decides whether whole batches can go through a query before
// the next one sees them.
//
// They can when no row of a batch reaches a query on two ways, and no table that some query writes
// is touched by another. Otherwise rows go through the plan one by one.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pollux {

class Flow {
 public:
  void begin_query() { queries_.emplace_back(); }
  void reads_stream(const std::string& stream) { queries_.back().reads.push_back(stream); }
  void writes_stream(const std::string& stream) { queries_.back().writes = stream; }
  void reads_table(const std::string& table) { queries_.back().tables_read.push_back(table); }
  void writes_table(const std::string& table) { queries_.back().table_written = table; }

  /// Something in the plan makes every row count for the next one.
  void force_row_by_row() { forced_ = true; }
  /// Whether rows must go through one by one.
  bool row_by_row() const;

 private:
  struct Query {
    std::vector<std::string> reads;
    std::string writes;
    std::vector<std::string> tables_read;
    std::string table_written;
  };

  bool reaches_twice(const std::string& stream, std::map<const Query*, int>& ways,
                     int depth) const;

  std::vector<Query> queries_;
  bool forced_ = false;
};

}  // namespace pollux
