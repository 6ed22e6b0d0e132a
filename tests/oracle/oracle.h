// The oracle: evaluates SiddhiQL plans row by row, plainly and slowly, with Siddhi 5.1's meaning.
// It shares the parser with the engine and nothing else; the fast engine is compared with it.
//
// Time is virtual: it is the greatest timestamp seen, and what is due fires before the row that
// moved it, at that row's time. Thread: one at a time. A plan that cannot be evaluated is told by
// error(); nothing throws.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/oracle/event.h"

namespace pollux::oracle {

/// A row of a stream that a query inserts into.
struct Result {
  std::string stream;
  int64_t timestamp = 0;
  Row row;
};

/// One chunk as a callback sees it.
struct Delivery {
  std::string target;  ///< a stream's name, or a query's (@info(name))
  bool query = false;
  std::vector<Event> events;  ///< of queries: current and expired ones
};

class Oracle {
 public:
  explicit Oracle(std::string_view text);
  ~Oracle();
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  /// Empty when the plan can be evaluated; else why not.
  const std::string& error() const { return error_; }
  /// The error is of the text, not of what the oracle knows.
  bool syntax_error() const { return syntax_error_; }

  /// One row, a chunk of its own.
  void send(const std::string& stream, Row row, int64_t timestamp_ms);
  /// One chunk (an Event[]); the clock moves row by row as for single rows.
  void send_chunk(const std::string& stream, std::vector<Event> rows);
  void advance(int64_t timestamp_ms);

  /// Rows that may be looked at or made in all, over all queries (default: any number). Beyond it
  /// exhausted() is true and the oracle takes nothing more.
  void limit_work(uint64_t rows);
  bool exhausted() const { return exhausted_; }
  /// When something is due next; empty when nothing waits for time.
  std::optional<int64_t> next_deadline() const;

  /// Rows of all streams that queries insert into (inner streams left out), in order of emission.
  const std::vector<Result>& results() const;
  std::vector<Result> take_results();

  /// Everything that callbacks on queries and streams would have seen.
  const std::vector<Delivery>& deliveries() const;
  void record_deliveries(bool on);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  /// Does `action` and notes how it failed.
  template <class Action>
  void guarded(Action&& action);

  std::string error_;
  bool syntax_error_ = false;
  bool exhausted_ = false;
};

}  // namespace pollux::oracle
