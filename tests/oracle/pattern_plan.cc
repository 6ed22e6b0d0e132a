// From the tree of a pattern to its steps.
#include <algorithm>

#include "tests/oracle/pattern.h"

namespace pollux::oracle {

namespace {

using Element = ast::StateElement;

// Where a part of the pattern begins and ends, as step numbers.
struct Part {
  int first = -1;
  int last = -1;
};

class Builder {
 public:
  Builder(const ast::StateInput& input,
          const std::function<Fields(const ast::StreamSource&)>& fields_of, const Scope& base)
      : input_(input), fields_of_(fields_of), base_(base) {}

  PatternPlan build() {
    plan_.sequence = input_.sequence;
    plan_.within = input_.within_ms;
    if (!plan_.within && input_.root.within_ms) plan_.within = input_.root.within_ms;
    Part whole = parse(input_.root, true);
    for (int last : ends_of(whole.last)) step(last).last = true;
    for (size_t i = 0; i < plan_.steps.size(); ++i) plan_.steps[i].done = static_cast<int>(i);
    step(whole.first).done = whole.last;
    bind_filters();
    return std::move(plan_);
  }

 private:
  StepPlan& step(int number) { return plan_.steps[static_cast<size_t>(number)]; }

  std::vector<int> ends_of(int number) {
    if (step(number).partner >= 0) return {number, step(number).partner};
    return {number};
  }

  Part parse(const Element& element, bool start) {
    switch (element.kind) {
      case Element::Kind::kStream: {
        int number = add_step(element, start);
        if (element.counted) {
          step(number).kind = StepPlan::Kind::kCount;
          step(number).min = element.min_count == Element::kAny ? 0 : element.min_count;
          step(number).max = element.max_count == Element::kAny
                                 ? std::numeric_limits<int32_t>::max()
                                 : element.max_count;
        }
        list(number);
        return {number, number};
      }
      case Element::Kind::kAnd:
      case Element::Kind::kOr:
        return parse_pair(element, start);
      case Element::Kind::kNext:
        return parse_next(element, start);
      case Element::Kind::kEvery:
        return parse_every(element, start);
      case Element::Kind::kAbsent: {
        if (!element.for_ms) throw PlanError{"an absence without a time"};
        int number = add_step(element, start);
        plan_.absent.push_back(number);
        list(number);
        return {number, number};
      }
    }
    throw PlanError{"no such element"};
  }

  // Only the first step of an `every` is reset and updated with the sequence, as in the original.
  void list(int number) {
    plan_.setup.push_back(number);
    if (every_depth_ == 0 || every_first_) plan_.roots.push_back(number);
    every_first_ = false;
    plan_.expiry.push_back(number);
  }

  int add_step(const Element& element, bool start) {
    StepPlan plan;
    plan.start = start;
    plan.stream = (element.source.inner ? "#" : "") + element.source.stream;
    plan.absent = element.kind == Element::Kind::kAbsent;
    plan.wait = element.for_ms;
    plan_.steps.push_back(std::move(plan));
    sources_.push_back(&element.source);
    return static_cast<int>(plan_.steps.size()) - 1;
  }

  // The second of the pair is numbered first. An absent half counts as the first.
  Part parse_pair(const Element& element, bool start) {
    bool swapped = element.children[0].kind == Element::Kind::kStream &&
                   element.children[1].kind == Element::Kind::kAbsent;
    int second = add_step(element.children[swapped ? 0 : 1], start);
    int first = add_step(element.children[swapped ? 1 : 0], start);
    for (int number : {first, second}) {
      if (step(number).absent) plan_.absent.push_back(number);
    }
    auto kind = element.kind == Element::Kind::kAnd ? StepPlan::Kind::kAnd : StepPlan::Kind::kOr;
    for (int number : {first, second}) step(number).kind = kind;
    step(first).partner = second;
    step(second).partner = first;
    plan_.setup.push_back(second);
    plan_.setup.push_back(first);
    if (every_depth_ == 0 || every_first_)
      plan_.roots.push_back(every_depth_ == 0 ? second : first);
    every_first_ = false;
    plan_.expiry.push_back(second);
    plan_.expiry.push_back(first);
    return {first, second};
  }

  Part parse_next(const Element& element, bool start) {
    Part whole;
    for (const Element& child : element.children) {
      Part part = parse(child, start);
      start = false;
      if (whole.first < 0) {
        whole = part;
        continue;
      }
      connect(whole.last, part.first);
      whole.last = part.last;
    }
    return whole;
  }

  void connect(int last, int next) {
    for (int end : ends_of(last)) step(end).next = next;
    const StepPlan& from = step(last);
    if (from.kind == StepPlan::Kind::kCount && from.start && plan_.sequence && from.min == 0) {
      step(next).callback = last;
    }
  }

  Part parse_every(const Element& element, bool start) {
    size_t begin = plan_.steps.size();
    bool outermost = every_depth_++ == 0;
    if (outermost) every_first_ = true;
    Part part = parse(element.children.at(0), start);
    --every_depth_;
    if (outermost) every_first_ = false;
    for (int end : ends_of(part.last)) step(end).every = part.first;
    for (size_t i = begin; i < plan_.steps.size(); ++i) {
      plan_.steps[i].restart = part.first;
    }
    return part;
  }

  void bind_filters() {
    Scope scope = base_;
    scope.newest_by_default = false;
    for (const ast::StreamSource* source : sources_) {
      std::string name = source->alias;
      if (name.empty()) name = (source->inner ? "#" : "") + source->stream;
      scope.sources.push_back({{name}, fields_of_(*source)});
    }
    plan_.scope = scope;
    for (size_t i = 0; i < sources_.size(); ++i) {
      Scope own = scope;
      own.current = static_cast<int>(i);
      own.newest_by_default = true;
      for (const ast::StreamHandler& handler : sources_[i]->handlers) {
        if (handler.kind != ast::StreamHandler::Kind::kFilter) {
          throw PlanError{"only filters may stand in a pattern"};
        }
        Bound filter = bind(*handler.filter, own);
        if (filter.type != AttributeType::kBool) throw PlanError{"a filter must be a condition"};
        plan_.steps[i].filters.push_back(std::move(filter));
      }
    }
  }

  const ast::StateInput& input_;
  const std::function<Fields(const ast::StreamSource&)>& fields_of_;
  const Scope& base_;
  PatternPlan plan_;
  std::vector<const ast::StreamSource*> sources_;
  int every_depth_ = 0;
  bool every_first_ = false;
};

}  // namespace

PatternPlan bind_pattern(const ast::StateInput& input,
                         const std::function<Fields(const ast::StreamSource&)>& fields_of,
                         const Scope& base) {
  return Builder(input, fields_of, base).build();
}

}  // namespace pollux::oracle
