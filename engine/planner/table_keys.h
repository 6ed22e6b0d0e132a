// What a table's annotations say of its keys.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/language/dialect.h"
#include "engine/operators/table.h"
#include "engine/types/schema.h"

namespace pollux {

struct TableKeys {
  std::vector<size_t> primary;
  std::vector<size_t> indexed;
  TableRules rules;
};

/// @PrimaryKey and @Index; in 3.1 also @IndexBy, by whose one attribute rows are kept, sorted, and
/// @From. Of @From(eventtable=...) the primary.keys and indices, everywhere. Mistakes go to the
/// diagnostics.
TableKeys read_table_keys(const ast::TableDefinition& definition, const Schema& schema,
                          Dialect dialect, Diagnostics& diagnostics);

}  // namespace pollux
