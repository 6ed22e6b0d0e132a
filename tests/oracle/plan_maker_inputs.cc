// What random queries read: streams with filters and windows, joins.
#include "tests/oracle/plan_maker.h"

#include <algorithm>

namespace pollux::oracle {

using Type = AttributeType;

const RandomStream& PlanMaker::any_stream(bool simple_only, bool any_kind) {
  std::vector<const RandomStream*> fitting;
  for (const auto* streams : {&streams_, &inner_}) {
    for (const RandomStream& stream : *streams) {
      bool fits = (!simple_only || !stream.multiplied) && (any_kind || stream.current_only);
      if (fits) fitting.push_back(&stream);
    }
  }
  return *random_.pick(fitting);
}

std::string PlanMaker::filter(const std::vector<Reach>& reach) {
  if (random_.chance(20) && !tables_.empty()) return "[" + in_table(reach) + "]";
  return "[" + random_condition(random_, reach, 2) + "]";
}

std::string PlanMaker::in_table(const std::vector<Reach>& reach) {
  const RandomTable& table = random_.pick(tables_);
  return "(" + match(table, reach) + " in " + table.name + ")";
}

RandomInput PlanMaker::single() {
  const RandomStream& stream = any_stream(false, true);
  Input input;
  input.text = stream.name;
  input.reach = reach_of(stream.fields, "");
  input.rank = stream.rank;
  input.multiplied = stream.multiplied;
  if (random_.chance(35)) input.text += filter(input.reach);
  input.windowed = stream.named_window;
  if (!stream.named_window && random_.chance(60)) {
    input.windowed = true;
    bool by_content = is_input(stream) && random_.chance(25);
    input.text += by_content ? "#window." + window_by_content() : window_of(stream);
    if (random_.chance(12)) input.text += filter(input.reach);
  }
  return input;
}

std::string PlanMaker::side(const RandomStream& stream, const std::string& alias) {
  std::string side = stream.name;
  if (stream.named_window) return side + " as " + alias;
  if (random_.chance(30)) side += filter(reach_of(stream.fields, ""));
  if (random_.chance(85)) side += window_of(stream);
  return side + " as " + alias;
}

// Two attributes of one type that mostly can be equal.
std::string PlanMaker::equality(const std::vector<Reach>& left, const std::vector<Reach>& right) {
  std::vector<std::string> pairs;
  for (const Reach& a : left) {
    for (const Reach& b : right) {
      if (a.type == b.type && (a.type == Type::kString || a.type == Type::kInt)) {
        pairs.push_back(a.text + " == " + b.text);
      }
    }
  }
  if (pairs.empty()) return random_condition(random_, left, 1);
  return random_.pick(pairs);
}

RandomInput PlanMaker::join() {
  const RandomStream& left = any_stream(true, true);
  const RandomStream& other = any_stream(true, !left.named_window);
  bool window_twice = left.named_window && other.name == left.name;
  const RandomStream& right = window_twice ? streams_[0] : other;
  std::string kind = random_.word(
      {"join", "join", "inner join", "left outer join", "right outer join", "full outer join"});
  Input input;
  input.windowed = true;
  input.multiplied = true;
  input.rank = std::max(left.rank, right.rank);
  std::vector<Reach> left_reach = reach_of(left.fields, "L.");
  std::vector<Reach> right_reach = reach_of(right.fields, "R.");
  std::string left_text = side(left, "L");
  std::string right_text = side(right, "R");
  if (random_.chance(20)) {
    (random_.chance(50) ? left_text : right_text) += " unidirectional";
  }
  input.text = left_text + " " + kind + " " + right_text;
  input.reach = left_reach;
  input.reach.insert(input.reach.end(), right_reach.begin(), right_reach.end());
  if (random_.chance(90)) {
    input.text += " on " + equality(left_reach, right_reach);
    if (random_.chance(30)) input.text += " and " + random_condition(random_, input.reach, 1);
  }
  return input;
}

// A condition on a table's row that some row may meet; its key first.
std::string PlanMaker::match(const RandomTable& table, const std::vector<Reach>& reach) {
  std::vector<Reach> rows = reach_of(table.fields, table.name + ".");
  std::string condition;
  switch (random_.below(4)) {
    case 0:
      condition = rows[1].text + random_.word({" > ", " <= ", " == "}) +
                  random_expression(random_, Type::kInt, reach, 0);
      break;
    default:
      condition = rows[0].text + " == " + random_expression(random_, Type::kString, reach, 0);
  }
  if (random_.chance(25)) {
    condition += random_.word({" and ", " or "}) + rows[1].text +
                 random_.word({" >= ", " < ", " != "}) +
                 random_expression(random_, Type::kInt, reach, 0);
  }
  return "(" + condition + ")";
}

RandomInput PlanMaker::table_join() {
  const RandomTable& table = random_.pick(tables_);
  const RandomStream& stream = any_stream(true);
  Input input;
  input.windowed = true;
  input.multiplied = true;
  input.rank = stream.rank;
  std::vector<Reach> left = reach_of(stream.fields, "L.");
  input.text = side(stream, "L") + " " + random_.word({"join", "join", "left outer join"}) + " " +
               table.name;
  if (random_.chance(90)) input.text += " on " + match(table, left);
  input.reach = left;
  std::vector<Reach> rows = reach_of(table.fields, table.name + ".");
  input.reach.insert(input.reach.end(), rows.begin(), rows.end());
  return input;
}

RandomInput PlanMaker::input() {
  for (;;) {
    switch (random_.below(10)) {
      case 0:
      case 1:
        return join();
      case 2:
        if (tables_.empty()) break;
        return table_join();
      case 3:
      case 4:
        return pattern();
      case 5:
        return sequence();
      default:
        return single();
    }
  }
}

}  // namespace pollux::oracle
