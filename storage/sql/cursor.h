// A scan whose database gives rows out in pieces. Thread: one at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/record_store.h"
#include "storage/sql/relation.h"

namespace pollux::sql {

class Cursor : public RecordCursor {
 public:
  absl::StatusOr<EventBatchPtr> next() override;

 protected:
  explicit Cursor(RelationPtr relation) : relation_(std::move(relation)) {}
  const Relation& relation() const { return *relation_; }
  /// The next rows, of the table's columns and the time: fewer than wanted at the end.
  virtual absl::StatusOr<std::vector<SqlRow>> fetch(size_t wanted) = 0;

 private:
  absl::Status fetch_more();

  const RelationPtr relation_;
  std::deque<SqlRow> rows_;
  size_t wanted_ = 16;
  bool ended_ = false;
};

}  // namespace pollux::sql
