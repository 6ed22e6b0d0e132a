#include "engine/planner/pattern_dialect31.h"

#include <optional>

namespace pollux {
namespace {

using Element = ast::StateElement;

/// States [first, behind) of an element.
struct Range {
  size_t first = 0;
  size_t behind = 0;

  uint64_t mask() const {
    uint64_t states = 0;
    for (size_t s = first; s < behind; ++s) states |= bit(s);
    return states;
  }
};

/// Goes through the elements in the order in which the planner made states of them.
class Walk {
 public:
  explicit Walk(PatternPlan& pattern) : pattern_(pattern) {}

  Range part(const Element& element) {
    if (element.within_ms) return bounded(element, *element.within_ms);
    switch (element.kind) {
      case Element::Kind::kStream:
      case Element::Kind::kAbsent:
        return take(1);
      case Element::Kind::kAnd:
      case Element::Kind::kOr:
        return take(2);
      case Element::Kind::kNext:
        return chain(element, std::nullopt);
      case Element::Kind::kEvery:
        return repeated(part(element.children[0]));
    }
    return take(0);
  }

  /// A part with a `within` behind it.
  Range bounded(const Element& element, int64_t ms) {
    if (element.kind == Element::Kind::kEvery) {
      return repeated(bounded(element.children[0], ms));
    }
    if (element.kind == Element::Kind::kNext) return chain(element, ms);
    Range states = take(element.children.empty() ? 1 : 2);
    limit(states, {ms, 0});
    return states;
  }

 private:
  Range take(size_t count) {
    next_ += count;
    return {next_ - count, next_};
  }

  Range chain(const Element& element, std::optional<int64_t> within_ms) {
    Range first = part(element.children.front());
    Range all = first;
    for (size_t c = 1; c < element.children.size(); ++c) {
      Range more = part(element.children[c]);
      if (within_ms) limit(more, {*within_ms, first.mask()});
      all.behind = more.behind;
    }
    return all;
  }

  void limit(Range states, PatternLimit limit) {
    for (size_t s = states.first; s < states.behind; ++s) {
      if (!pattern_.states[s].start) pattern_.states[s].limits.push_back(limit);
    }
  }

  /// The part behind an `every`.
  Range repeated(Range states) {
    bool dead = pattern_.states[states.first].kind == PatternState::Kind::kCount;
    for (size_t s = states.first; s < states.behind; ++s) {
      const PatternState& state = pattern_.states[s];
      dead = dead || (state.kind == PatternState::Kind::kCount && state.min_count > 0);
    }
    if (!dead || pattern_.sequence) return states;
    for (size_t s = states.first; s < states.behind; ++s) {
      PatternState& state = pattern_.states[s];
      bool into = state.every >= static_cast<int32_t>(states.first) &&
                  state.every < static_cast<int32_t>(states.behind);
      if (into) state.every = PatternState::kNone;
    }
    return states;
  }

  PatternPlan& pattern_;
  size_t next_ = 0;
};

}  // namespace

void as_in_31(const ast::StateInput& input, PatternPlan& pattern) {
  pattern.matches_apart = true;
  Walk walk(pattern);
  const Element& root = input.root;
  Range first;  // of the first of several parts, or of the whole
  if (input.within_last_part && input.within_ms) {
    pattern.within_ms = std::nullopt;
    first = walk.part(root.children.front());
    for (size_t c = 1; c + 1 < root.children.size(); ++c) walk.part(root.children[c]);
    walk.bounded(root.children.back(), *input.within_ms);
  } else if (root.kind == Element::Kind::kNext) {
    first = walk.part(root.children.front());
    for (size_t c = 1; c < root.children.size(); ++c) walk.part(root.children[c]);
  } else {
    first = walk.part(root);
  }
  if (!pattern.sequence) return;
  PatternState& last = pattern.states[first.behind - 1];
  bool pair = last.partner != PatternState::kNone;
  // A pair's second state is its left half, with which it begins.
  auto begin = static_cast<int32_t>(pair ? first.behind - 1 : first.first);
  last.every = begin;
  if (pair) pattern.states[static_cast<size_t>(last.partner)].every = begin;
}

}  // namespace pollux
