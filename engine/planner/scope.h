// What names mean at one place of a plan: which attribute of which source.
//
// A scope remembers which columns were asked for, so that operators keep no others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/expression/expression.h"
#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/pattern_plan.h"
#include "engine/types/schema.h"

namespace pollux {

/// Why a name means nothing here.
struct NameError {
  std::string message;
  std::string expected;
  std::string hint;
};

using NameResult = std::variant<ExpressionPtr, NameError>;

class Scope {
 public:
  virtual ~Scope() = default;
  /// The attribute that a reference names.
  virtual NameResult attribute(const ast::Reference& reference) = 0;
  /// `reference is null` for a whole event; an error where there are no such references.
  virtual NameResult absence(const ast::Reference& reference);
  /// What `*` means as a function's arguments; empty where it means nothing.
  virtual std::vector<ExpressionPtr> all_attributes() { return {}; }
  /// `eventTimestamp(reference)`; an error where there are no such references.
  virtual NameResult timestamp(const ast::Reference& reference);
  /// Source 0 is the batch of the row itself, so that tables can be searched from here.
  virtual bool has_row_source() const { return true; }
};

/// Attributes of one source, which goes by some names.
struct NamedSource {
  std::vector<std::string> names;  ///< stream, alias
  SchemaPtr schema;
  uint32_t source = 0;  ///< place in the frame
  uint32_t offset = 0;  ///< column of its first attribute in that source's batch
};

/// One or more sources side by side: a stream, both sides of a join, a row and a table's rows.
class SourcesScope final : public Scope {
 public:
  explicit SourcesScope(std::vector<NamedSource> sources);

  NameResult attribute(const ast::Reference& reference) override;
  std::vector<ExpressionPtr> all_attributes() override;

  /// 3.1 asks of a single source by whatever name: `e1[last].a` is `a`.
  void go_by_any_name() { any_name_ = true; }

  /// Which attributes of the n-th source were asked for.
  const std::vector<bool>& used(size_t source) const { return used_[source]; }
  void use_all();

 private:
  ExpressionPtr column(size_t source, size_t column);

  std::vector<NamedSource> sources_;
  std::vector<std::vector<bool>> used_;
  bool any_name_ = false;
};

/// The states of a pattern, as its filters and its selection see them.
class PatternNames {
 public:
  struct State {
    std::string reference;  ///< e1; may be empty
    std::string stream;
    SchemaPtr schema;
    bool counted = false;
  };

  uint32_t add_state(State state) {
    states_.push_back(std::move(state));
    return static_cast<uint32_t>(states_.size() - 1);
  }
  const std::vector<State>& states() const { return states_; }
  std::vector<PatternReference>& references() { return references_; }

  /// The number of a reference, which is added when it is new.
  uint32_t reference_number(const PatternReference& reference);
  /// Finds the state and attribute that a name means; `own` is preferred for bare attributes.
  std::variant<PatternReference, NameError> find(const ast::Reference& name,
                                                 std::optional<uint32_t> own, bool whole_event);

 private:
  std::vector<State> states_;
  std::vector<PatternReference> references_;
};

/// Inside the filter of a state: the event itself, and the events taken before it.
class PatternFilterScope final : public Scope {
 public:
  PatternFilterScope(PatternNames& names, uint32_t state) : names_(names), state_(state) {}

  NameResult attribute(const ast::Reference& reference) override;
  NameResult absence(const ast::Reference& reference) override;
  bool has_row_source() const override { return false; }

  /// References to other events that were asked for since the last call.
  std::vector<uint32_t> take_references() { return std::exchange(asked_, {}); }

 private:
  ExpressionPtr ask(const PatternReference& reference);

  PatternNames& names_;
  uint32_t state_;
  std::vector<uint32_t> asked_;
};

/// In the selection: the events of a complete match, one column an asked-for reference.
class PatternSelectScope final : public Scope {
 public:
  explicit PatternSelectScope(PatternNames& names) : names_(names) {}

  NameResult attribute(const ast::Reference& reference) override;
  NameResult absence(const ast::Reference& reference) override;

  const std::vector<uint32_t>& outputs() const { return outputs_; }

 private:
  ExpressionPtr ask(const PatternReference& reference);

  PatternNames& names_;
  std::vector<uint32_t> outputs_;
};

/// What a query puts out, by name, before what it reads: for `having` and `order by`.
class OutputScope final : public Scope {
 public:
  OutputScope(const std::vector<std::string>& names, const std::vector<ExpressionPtr>& values,
              Scope& input, bool aggregated)
      : names_(names), values_(values), input_(input), aggregated_(aggregated) {}

  NameResult attribute(const ast::Reference& reference) override;
  NameResult absence(const ast::Reference& reference) override { return input_.absence(reference); }
  std::vector<ExpressionPtr> all_attributes() override { return input_.all_attributes(); }
  bool has_row_source() const override { return !aggregated_ && input_.has_row_source(); }

 private:
  const std::vector<std::string>& names_;
  const std::vector<ExpressionPtr>& values_;
  Scope& input_;
  bool aggregated_;
};

}  // namespace pollux
