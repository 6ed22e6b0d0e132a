// What random queries select, and what becomes of it.
#include "tests/oracle/plan_maker.h"

#include <algorithm>

namespace pollux::oracle {

using Type = AttributeType;

std::string PlanMaker::value_of(Type type, const std::vector<Reach>& reach) {
  return random_expression(random_, type, reach, 2);
}

PlanMaker::Selection PlanMaker::select(const Input& input, const std::vector<Attribute>* wanted,
                                       bool aggregates) {
  Selection selection;
  auto add = [&](const std::string& expression, const Attribute& field) {
    selection.text += (selection.fields.empty() ? "" : ", ") + expression + " as " + field.name;
    selection.fields.push_back(field);
  };
  if (wanted != nullptr) {
    for (const Attribute& field : *wanted) add(value_of(field.type, input.reach), field);
  } else {
    auto count = random_.between(1, 4);
    for (int64_t i = 0; i < count; ++i) {
      std::string name = "o" + std::to_string(i);
      Type type{};
      if (aggregates && random_.chance(60)) {
        bool join = input.windowed && input.multiplied;
        std::string aggregate = random_aggregate(random_, input.reach, join, type);
        add(aggregate, {name, type});
      } else {
        Reach reach = random_.pick(input.reach);
        if (random_.chance(5)) {
          add("eventTimestamp()", {name, Type::kLong});
          continue;
        }
        add(random_.chance(60) ? reach.text : value_of(reach.type, input.reach),
            {name, reach.type});
      }
    }
  }
  if (random_.chance(aggregates ? 55 : 10)) {
    selection.grouped = true;
    selection.text += " group by " + random_.pick(input.reach).text;
    if (random_.chance(20)) selection.text += ", " + random_.pick(input.reach).text;
  }
  if (random_.chance(20)) {
    selection.text += " having " + random_condition(random_, reach_of(selection.fields, ""), 1);
  }
  if (random_.chance(12)) {
    selection.text +=
        " order by " + random_.pick(selection.fields).name + random_.word({"", " asc", " desc"});
  }
  if (random_.chance(8)) selection.text += " limit " + std::to_string(random_.between(1, 3));
  if (random_.chance(5)) selection.text += " offset " + std::to_string(random_.between(0, 2));
  return selection;
}

std::string PlanMaker::rate() {
  if (!random_.chance(15)) return "";
  std::string which = random_.word({"", "all ", "first ", "last "});
  if (random_.chance(60)) {
    return " output " + which + "every " + std::to_string(random_.between(1, 4)) + " events";
  }
  return " output " + which + "every " + duration();
}

std::string PlanMaker::events_wanted(bool windowed) {
  if (windowed && random_.chance(35)) return random_.word({"all events ", "expired events "});
  return random_.chance(10) ? "current events " : "";
}

// The rate, and what kinds of events are inserted; snapshots insert all.
std::string PlanMaker::rate_and_insert(const Input& input, const std::string& selected) {
  // Of a join or a pattern, and with `having`, a snapshot in the original keeps what has left.
  bool simple =
      !input.multiplied && !in_partition_ && selected.find(" having ") == std::string::npos;
  if (random_.chance(8) && simple)
    return " output snapshot every " + duration() + " insert all events into ";
  return rate() + " insert " + events_wanted(input.windowed) + "into ";
}

// An output that a later query may read, or one that another query fills already.
std::string PlanMaker::insert(const Input& input, bool aggregates, bool inner) {
  std::vector<RandomStream*> fitting;
  for (RandomStream& stream : streams_) {
    if (stream.rank > input.rank && is_output(stream)) fitting.push_back(&stream);
  }
  if (!inner && !fitting.empty() && random_.chance(30)) {
    RandomStream& target = *random_.pick(fitting);
    target.multiplied |= input.multiplied;
    Selection selection = select(input, &target.fields, false);
    return " select " + selection.text + rate_and_insert(input, selection.text) + target.name;
  }
  RandomStream made;
  Selection selection;
  selection = select(input, nullptr, aggregates);
  made.name = (inner ? "#Inner" : "Out") + std::to_string(++outputs_);
  made.fields = selection.fields;
  made.rank = input.rank + 1;
  made.multiplied = input.multiplied;
  std::string text =
      " select " + selection.text + rate_and_insert(input, selection.text) + made.name;
  (inner ? inner_ : new_outputs_).push_back(std::move(made));
  return text;
}

// Named windows take what comes of a row once.
std::optional<std::string> PlanMaker::insert_into_window(const Input& input) {
  std::vector<const RandomStream*> fitting;
  for (const RandomStream& stream : streams_) {
    if (stream.named_window && stream.rank > input.rank && !input.multiplied) {
      fitting.push_back(&stream);
    }
  }
  if (fitting.empty()) return std::nullopt;
  const RandomStream& target = *random_.pick(fitting);
  std::string row;
  for (const Attribute& field : target.fields) {
    std::string value = field.name == "t" ? "eventTimestamp()" : value_of(field.type, input.reach);
    row += (row.empty() ? "" : ", ") + value + " as " + field.name;
  }
  return " select " + row + rate_and_insert(input, row) + target.name;
}

}  // namespace pollux::oracle
