#include "tests/oracle/table.h"

#include <algorithm>
#include <set>

namespace pollux::oracle {

namespace {

// Each assignment sees those made before it.
void assign(const Row& event, Row& row, const std::vector<Table::Assignment>& set) {
  for (const Table::Assignment& assignment : set) {
    row[assignment.field] = assignment.value(event, row);
  }
}

}  // namespace

std::string Table::key_of(const Row& row) const {
  std::string key;
  for (size_t field : key_) key += java_text(row[field]) + ":-:";
  return key;
}

void Table::add(const Row& row) {
  if (!key_.empty()) {
    std::string key = key_of(row);
    if (std::any_of(rows_.begin(), rows_.end(),
                    [&](const Row& held) { return key_of(held) == key; })) {
      return;
    }
  }
  rows_.push_back(row);
}

void Table::remove(const Row& event, const Condition& on) {
  std::erase_if(rows_, [&](const Row& row) { return on(event, row); });
}

// An update that would give two rows one key changes nothing at all.
bool Table::would_repeat_key(const Row& event, const Condition& on,
                             const std::vector<Assignment>& set) const {
  if (key_.empty()) return false;
  std::multiset<std::string> keys;
  for (const Row& row : rows_) {
    Row changed = row;
    if (on(event, row)) assign(event, changed, set);
    keys.insert(key_of(changed));
  }
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

bool Table::update(const Row& event, const Condition& on, const std::vector<Assignment>& set) {
  bool fails = would_repeat_key(event, on, set);
  bool found = false;
  for (Row& row : rows_) {
    if (!on(event, row)) continue;
    found = true;
    if (!fails) assign(event, row, set);
  }
  return found;
}

void Table::update_or_add(const std::vector<Row>& events, const Condition& on,
                          const std::vector<Assignment>& set) {
  std::vector<Row> inserts;
  for (const Row& event : events) {
    if (!update(event, on, set)) inserts.push_back(event);
  }
  std::vector<Row> reduced;
  for (const Row& event : inserts) {
    bool updated = false;
    for (Row& row : reduced) {
      if (!on(event, row)) continue;
      assign(event, row, set);
      updated = true;
    }
    if (!updated) reduced.push_back(event);
  }
  for (const Row& row : reduced) add(row);
}

}  // namespace pollux::oracle
