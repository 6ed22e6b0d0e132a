// What a transaction does to the rows of a table with a primary key: of each key the last change
// only, in the order of keys.
//
// Roll-ups change the rows of a year or a provider again and again; only the last of these is worth
// reading the old row's time, and writing. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "storage/rocks/database.h"
#include "storage/rocks/layout.h"
#include "storage/rocks/table.h"
#include "storage/rocks/transaction.h"

namespace pollux::rocks {

/// The key under which a row of the table stands.
std::string key_of_row(const TableLayout& layout, const EventBatch& batch, uint32_t row);

class KeyChanges {
 public:
  /// `batch` is borrowed until apply().
  void put(std::string key, const EventBatch& batch, uint32_t row);
  void erase(std::string key);
  /// About what they take in a transaction.
  size_t bytes() const { return bytes_; }

  /// What the table has more for it.
  struct Effect {
    int64_t rows = 0;
    int64_t oldest_ms = INT64_MAX;  ///< of the rows that were put
  };
  /// Adds all to the transaction, and forgets them.
  [[nodiscard]] absl::Status apply(const Database& database, const TableLayout& layout,
                                   Transaction& transaction, Effect& effect);

 private:
  struct Change {
    const EventBatch* batch = nullptr;  // null: the row goes
    uint32_t row = 0;
    size_t bytes = 0;
  };
  using Changes = std::unordered_map<std::string, Change>;
  using Keyed = const Changes::value_type*;

  void note(std::string key, Change change);
  static absl::Status apply_some(std::span<const Keyed> some, const Database& database,
                                 const TableLayout& layout, Transaction& transaction,
                                 Effect& effect);

  Changes changes_;
  size_t bytes_ = 0;
};

}  // namespace pollux::rocks
