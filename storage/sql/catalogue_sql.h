// What puts tables into the catalogue, in SQL that all databases take. Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/sql/relation.h"

namespace pollux::sql {

/// As a text in an SQL text of the database.
using Literal = std::string (*)(std::string_view text);

/// Notes the table and its columns, a statement each.
std::vector<std::string> note_table(const std::string& store, const Relation& relation,
                                    Literal literal);

/// Notes those from `first` on; no statement where there are none.
std::vector<std::string> note_columns(const std::string& store, const TableDefinition& definition,
                                      size_t first, Literal literal);

/// Ends with the first that fails.
template <class Talk>
absl::Status tell_all(Talk& talk, const std::vector<std::string>& statements) {
  absl::Status done;
  for (const std::string& statement : statements) {
    if (done.ok()) done = talk.tell(statement);
  }
  return done;
}

}  // namespace pollux::sql
