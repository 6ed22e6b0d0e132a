// An in-memory table: rows in the order of their insertion, every operation a scan.
//
// A row whose primary key is there already is dropped. Rows that are updated keep their place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/oracle/expression.h"

namespace pollux::oracle {

class Table {
 public:
  Table(std::string name, Fields fields, std::vector<size_t> key)
      : name_(std::move(name)), fields_(std::move(fields)), key_(std::move(key)) {}

  const std::string& name() const { return name_; }
  const Fields& fields() const { return fields_; }
  const std::vector<Row>& rows() const { return rows_; }

  /// One assignment: attribute of the table, and its new value from (event, row).
  struct Assignment {
    size_t field;
    std::function<Value(const Row& event, const Row& row)> value;
  };
  using Condition = std::function<bool(const Row& event, const Row& row)>;

  void add(const Row& row);
  void remove(const Row& event, const Condition& on);
  /// True when a row fulfilled the condition.
  bool update(const Row& event, const Condition& on, const std::vector<Assignment>& set);
  /// Events that update nothing are inserted, after all of the chunk have tried; those that would
  /// update one inserted before them do so.
  void update_or_add(const std::vector<Row>& events, const Condition& on,
                     const std::vector<Assignment>& set);

 private:
  std::string key_of(const Row& row) const;
  bool would_repeat_key(const Row& event, const Condition& on,
                        const std::vector<Assignment>& set) const;

  std::string name_;
  Fields fields_;
  std::vector<size_t> key_;
  std::vector<Row> rows_;
};

}  // namespace pollux::oracle
