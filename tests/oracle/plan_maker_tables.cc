// Random queries that change tables.
#include "tests/oracle/plan_maker.h"

#include <algorithm>

namespace pollux::oracle {

using Type = AttributeType;

// Rows for a table: attributes of its primary key and indices are never null.
std::string PlanMaker::row_for(const RandomTable& table, const std::vector<Reach>& reach) {
  std::string row;
  for (size_t i = 0; i < table.fields.size(); ++i) {
    const Attribute& field = table.fields[i];
    std::string value = random_expression(random_, field.type, reach, 1);
    if (i < 2) value = "default(" + value + ", " + random_constant(random_, field.type) + ")";
    row += (i == 0 ? "" : ", ") + value + " as " + field.name;
  }
  return row;
}

std::string PlanMaker::change_table(const Input& input) {
  const RandomTable& table = random_.pick(tables_);
  std::string row = " select " + row_for(table, input.reach);
  std::vector<Reach> event = reach_of(table.fields, "");
  std::string same_key = table.name + ".k == k";
  if (table.key == 2) same_key += " and " + table.name + ".n == n";
  // A join with a table that fills the same table would grow without end.
  bool grows = input.multiplied && table.key == 0;
  switch (grows ? random_.between(2, 5) : random_.between(0, 5)) {
    case 0:
    case 1:
      return row + " insert into " + table.name;
    case 2:
      return row + " delete " + table.name + " on " + match(table, event);
    case 3:
      return row + " update " + table.name + assignments(table) + " on " + match(table, event);
    case 4:
      return row + " update " + table.name + " on " + same_key;
    default:
      return row + " update or insert into " + table.name +
             (random_.chance(30) ? assignments(table) : "") + " on " + same_key;
  }
}

// Leaves the first two attributes alone: they may be the key.
std::string PlanMaker::assignments(const RandomTable& table) {
  size_t first = table.key == 2 ? 2 : 1;
  if (first >= table.fields.size()) return " set " + table.name + ".n = n";
  std::vector<Reach> reach = reach_of(table.fields, "");
  std::vector<Reach> rows = reach_of(table.fields, table.name + ".");
  reach.insert(reach.end(), rows.begin(), rows.end());
  const Attribute& field = table.fields[first + random_.below(table.fields.size() - first)];
  std::string value = random_expression(random_, field.type, reach, 2);
  if (field.name == "n") value = "default(" + value + ", 1)";
  return " set " + table.name + "." + field.name + " = " + value;
}

}  // namespace pollux::oracle
