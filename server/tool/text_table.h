// Rows of text in columns, for people.
#pragma once

#include <string>
#include <vector>

namespace pollux::tool {

class TextTable {
 public:
  struct Column {
    std::string title;
    bool right = false;  ///< numbers
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell a column.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  /// The titles and the rows, each with a line end; columns are two blanks apart, each as wide as
  /// its longest cell (a code point counts as one place).
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pollux::tool
