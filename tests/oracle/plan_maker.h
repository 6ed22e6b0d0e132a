// Makes a random plan: definitions first, then queries that read what is there and add to it.
//
// Streams have ranks: queries read lower ones and fill higher ones, so that plans end (loops are
// made on purpose, see plan_maker_loops.cc).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/types/schema.h"
#include "tests/oracle/random.h"
#include "tests/oracle/random_expression.h"
#include "tests/oracle/random_plan.h"

namespace pollux::oracle {

struct RandomStream {
  std::string name;
  std::vector<Attribute> fields;
  /// Streams only feed streams of a higher rank; but see loop().
  int rank = 0;
  /// Joins and patterns multiply events; they do not feed each other.
  bool multiplied = false;
  bool named_window = false;
  bool current_only = true;  ///< named windows may put out expired events as well
};

struct RandomTable {
  std::string name;
  std::vector<Attribute> fields;
  size_t key = 0;  ///< how many of the first attributes are the primary key
};

/// What a query reads, and how its select may write it.
struct RandomInput {
  std::string text;
  std::vector<Reach> reach;
  int rank = 0;
  bool multiplied = false;
  bool windowed = false;
};

class PlanMaker {
 public:
  PlanMaker(Random& random, RandomCase& made, int size)
      : random_(random), made_(made), size_(size) {}

  void make();

 private:
  using Input = RandomInput;
  struct Selection {
    std::string text;
    std::vector<Attribute> fields;
    bool grouped = false;
  };

  // plan_maker.cc
  std::string query();
  void publish();
  std::string key_of(const RandomStream& stream);
  void add_partition();

  // plan_maker_definitions.cc
  void define_streams();
  void define_table();
  void define_window();
  void define_trigger();

  // plan_maker_inputs.cc
  /// Without named windows that put out expired events, unless `any_kind`.
  const RandomStream& any_stream(bool simple_only = false, bool any_kind = false);
  std::string filter(const std::vector<Reach>& reach);
  std::string in_table(const std::vector<Reach>& reach);
  std::string equality(const std::vector<Reach>& left, const std::vector<Reach>& right);
  std::string match(const RandomTable& table, const std::vector<Reach>& reach);
  std::string side(const RandomStream& stream, const std::string& alias);
  Input single();
  Input join();
  Input table_join();
  Input input();

  // plan_maker_windows.cc
  std::string duration();
  std::string window(bool with_time);
  std::string window_by_content();
  std::string window_of(const RandomStream& stream);

  // plan_maker_patterns.cc
  std::string element(Input& input, const RandomStream& stream, const std::string& name,
                      bool counted);
  std::string absence(Input& input);
  std::string half_absent(Input& input);
  std::string pattern_step(Input& input, bool first, bool last);
  Input pattern();
  Input sequence();

  // plan_maker_outputs.cc
  std::string value_of(AttributeType type, const std::vector<Reach>& reach);
  Selection select(const Input& input, const std::vector<Attribute>* wanted, bool aggregates);
  std::string rate();
  std::string events_wanted(bool windowed);
  std::string rate_and_insert(const Input& input, const std::string& selected);
  std::string insert(const Input& input, bool aggregates, bool inner);
  std::optional<std::string> insert_into_window(const Input& input);

  // plan_maker_tables.cc
  std::string row_for(const RandomTable& table, const std::vector<Reach>& reach);
  std::string change_table(const Input& input);
  std::string assignments(const RandomTable& table);

  // plan_maker_loops.cc
  std::optional<std::string> loop();

  static bool is_input(const RandomStream& stream) { return stream.name.starts_with("In"); }
  /// Queries may fill it.
  static bool is_output(const RandomStream& stream) {
    return stream.name.starts_with("Out") || stream.name.starts_with("#");
  }
  static std::vector<Reach> reach_of(const std::vector<Attribute>& fields,
                                     const std::string& prefix);

  Random& random_;
  RandomCase& made_;
  int size_;
  std::vector<RandomStream> streams_, inner_, new_outputs_;
  std::vector<RandomTable> tables_;
  bool in_partition_ = false;
  bool has_session_ = false, has_loop_ = false;
  bool behind_count_ = false;  // what an absence behind a count waits for is not defined
  int elements_ = 0, outputs_ = 0;
};

}  // namespace pollux::oracle
