// An in-memory table: rows in order of insertion, found by primary key or index or by looking at
// all of them.
//
// An insert whose primary key is there already is dropped (Siddhi 5), or takes its row's place (the
// event tables of 3.1). Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/operators/changed_keys.h"
#include "engine/operators/group_table.h"
#include "engine/operators/row_store.h"
#include "engine/state/stateful.h"

namespace pollux {

struct TableRules {
  bool replaces = false;  ///< an insert takes the place of the row with its primary key
  bool sorted = false;    ///< rows stand by primary key (of one column), not by age
  bool stored = false;    ///< a record store keeps the rows as well
};

class Table final : public Stateful {
 public:
  Table(SchemaPtr schema, std::vector<size_t> primary_key, std::vector<size_t> indexed,
        StringPool& strings, TableRules rules = {});

  const SchemaPtr& schema() const { return store_.schema(); }
  const std::vector<size_t>& primary_key() const { return primary_key_; }
  const RowStore& store() const { return store_; }
  bool stored() const { return rules_.stored; }
  /// The primary keys of rows that are changed from here on go to `changed`; null: to nobody.
  void tell_of_changes(ChangedKeys* changed) { changed_ = changed; }
  uint32_t size() const { return store_.size(); }

  /// False when a row of that primary key is there and stays.
  bool insert(const Chunk& chunk, uint32_t i);
  void erase(Slot slot);
  /// Sets columns of a row. Where the primary key changes, change_keys() comes first.
  void update(Slot slot, const std::vector<size_t>& columns, const std::vector<Vec>& values,
              uint32_t row);
  bool changes_key(const std::vector<size_t>& columns) const;
  /// The row's primary key once the columns are set.
  std::string key_after(Slot slot, const std::vector<size_t>& columns,
                        const std::vector<Vec>& values, uint32_t row) const;
  /// Gives rows new keys; false, and nothing changed, when two rows would have one key.
  bool change_keys(const std::vector<Slot>& slots, const std::vector<std::string>& keys);

  bool is_indexed(size_t column) const;
  /// The rows whose index column has this key (as KeyEncoder writes it), oldest first.
  const std::vector<Slot>* find_indexed(size_t column, const StringRef& key) const;
  Slot find_primary(const StringRef& key) const;
  /// All rows, oldest first, or by key.
  void all(std::vector<Slot>& slots) const;

  size_t state_bytes() const;
  void archive_state(StateArchive& archive) override;

 private:
  /// Rows by the value of one column.
  struct Index {
    size_t column;
    std::unique_ptr<GroupTable> keys;
    std::vector<std::vector<Slot>> rows;  ///< by group of `keys`
  };

  StringRef key_of(Slot slot, const std::vector<size_t>& columns);
  void note_change(Slot slot) {
    if (changed_ != nullptr) changed_->note(key_of(slot, primary_key_));
  }
  void add_to_indexes(Slot slot);
  void remove_from_indexes(Slot slot);
  void sort_by_key(std::vector<Slot>& slots) const;

  TableRules rules_;
  RowStore store_;
  std::vector<size_t> primary_key_;
  GroupTable primary_;
  std::vector<Slot> primary_slots_;  ///< by group of `primary_`
  std::vector<Index> indexes_;
  std::vector<Slot> order_;  ///< oldest first; kNoSlot where a row was erased
  std::vector<uint32_t> place_of_;
  uint32_t erased_ = 0;
  KeyEncoder encoder_;
  ChangedKeys* changed_ = nullptr;
};

}  // namespace pollux
