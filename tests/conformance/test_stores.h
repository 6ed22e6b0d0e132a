// The stores that exist only in tests: tables in memory, or nothing but the cache before a store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/language/ast.h"
#include "tests/conformance/subject.h"

namespace pollux::conformance {

/// A table before a store that keeps nothing: its rows are there for as long as they are cached.
/// The first that came is the first that goes, which is the one order that shows from outside.
class CachedTable {
 public:
  /// Empty when the table has no cache, or one whose rows neither age nor are many.
  static std::optional<CachedTable> of(const ast::TableDefinition& table);

  /// Takes away what is too old or too many. To be called whenever rows may have come, or time
  /// has passed. Throws Unsupported.
  void forget(Subject& subject, int64_t now_ms);

 private:
  void notice(const std::vector<Row>& rows, int64_t now_ms);
  void erase(Subject& subject, const Row& row) const;

  std::string table_;
  std::vector<std::string> attributes_;
  std::optional<int64_t> retention_ms_;
  size_t size_ = 0;
  std::vector<std::pair<Row, int64_t>> seen_;  ///< with the time of the first sight, oldest first
};

/// The plan's text without its test-only stores: a table without a store is one in memory.
std::string without_test_stores(std::string app);
/// The plan's text with a store for each of its tables that has a primary key and none yet.
std::string with_stores(std::string app);
/// The tables of a plan (its text with the stores) that stand before a store that keeps nothing.
std::vector<CachedTable> cached_tables_of(const std::string& app);

}  // namespace pollux::conformance
