// Who reads and writes what in a plan: decides whether whole batches can go through a query before
// the next one sees them.
//
// They can when no row of a batch reaches a query on two ways, and none reaches both a query that
// writes a table and another that touches it, and when none can be late for a time window, which
// would have to wake up before the next row. Otherwise rows go through the plan one by one.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
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

  /// The query puts rows out some time after they came, with the timestamps they had.
  void holds_rows_back() { queries_.back().holds_back = true; }
  /// The query wakes up some time after the timestamps of its rows.
  void counts_from_timestamps() { queries_.back().counts_from_timestamps = true; }

  /// Something in the plan makes every row count for the next one.
  void force_row_by_row() { forced_ = true; }
  /// Whether rows must go through one by one.
  bool row_by_row() const;
  /// Whether what comes of a row may come back to a query that took the row.
  bool loops() const { return !longest_chain(); }
  /// Queries that stand in each other's call at most, each feeding the next; empty when they loop.
  std::optional<size_t> longest_chain() const;

 private:
  struct Query {
    std::vector<std::string> reads;
    std::string writes;
    std::vector<std::string> tables_read;
    std::string table_written;
    bool holds_back = false;
    bool counts_from_timestamps = false;
  };

  using Readers = std::map<std::string, std::vector<const Query*>>;
  Readers readers_by_stream() const;
  /// Collects the queries that rows of a stream reach; false when one is reached on two ways.
  static bool reach(const std::string& stream, const Readers& readers,
                    std::vector<const Query*>& reached);
  /// Whether rows can come so late that what they ask for is due at once: before the next row.
  bool asks_for_the_past() const;
  static bool share_written_table(const std::vector<const Query*>& queries);

  std::vector<Query> queries_;
  bool forced_ = false;
};

}  // namespace pollux
