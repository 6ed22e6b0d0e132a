// Hashes of the parts of a plan that have state: equal when state of one is state of the other.
//
// Into a hash goes what the part's text means, the definitions of the functions it calls, and of
// whatever it reads the kind and the attributes; of a named window its whole definition, since what
// leaves it is taken out of aggregates elsewhere. Of what it writes only the kind counts. How the
// plan takes time, its dialect and whether it feeds itself are in all of them. Thread: one at a
// time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/language/ast.h"
#include "engine/language/tree_bytes.h"
#include "engine/runtime/plan.h"

namespace pollux {

class UnitHashes {
 public:
  /// Of a plan that was built from the tree.
  UnitHashes(const ast::Plan& tree, Plan& plan);

  /// Of the clock.
  uint64_t of_plan() const { return hash(TreeBytes()); }
  template <class Part>
  uint64_t of(const Part& part) const {
    TreeBytes bytes;
    bytes.add(part);
    return hash(std::move(bytes));
  }

 private:
  enum class Kind : uint8_t { kNone, kStream, kTable, kWindow, kAggregation, kExternal };

  uint64_t hash(TreeBytes bytes) const;
  Kind kind_of(const std::string& name) const;
  void add_source(const std::string& name, TreeBytes& bytes) const;
  void add_function(const std::string& name, TreeBytes& bytes) const;

  const ast::Plan& tree_;
  Plan& plan_;
};

}  // namespace pollux
