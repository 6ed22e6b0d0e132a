// Patterns and sequences: one step (state) for each stream of the pattern, partial matches
// waiting at the steps, and events offered to the steps from the last to the first.
//
// The machine follows Siddhi 5.1's: a partial match is one object that may wait at a counted step
// and at the step behind it at the same time; new arrivals at a step wait in a second list until
// the next event of the step's stream. Absent steps (`not A for t`) are woken by the clock.
#pragma once

#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/clock.h"
#include "tests/oracle/event.h"
#include "tests/oracle/expression.h"
#include "tests/oracle/work.h"

namespace pollux::oracle {

/// One stream of a pattern, in the order in which its slot was numbered.
struct StepPlan {
  enum class Kind : uint8_t { kStream, kCount, kAnd, kOr };

  Kind kind = Kind::kStream;
  std::string stream;  ///< with '#' for inner streams
  std::vector<Bound> filters;
  int64_t min = 1, max = 1;  ///< of kCount
  bool start = false;
  bool last = false;            ///< its match completes the pattern
  int partner = -1;             ///< of kAnd, kOr
  int next = -1;                ///< step that a match goes on to
  int every = -1;               ///< step that begins anew after a match
  int restart = -1;             ///< step that begins anew when a partial match runs out of time
  int done = -1;                ///< step whose "completed" mark is looked at after this one
  int callback = -1;            ///< leading optional step to be restarted
  bool absent = false;          ///< passed when no event comes
  std::optional<int64_t> wait;  ///< of absent steps: for how long none comes
};

struct PatternPlan {
  bool sequence = false;
  std::vector<StepPlan> steps;
  std::optional<int64_t> within;
  std::vector<int> roots;   ///< steps in the order of reset and update, first to last
  std::vector<int> setup;   ///< steps in the order in which streams learn of them
  std::vector<int> expiry;  ///< steps in the order in which matches run out of time
  std::vector<int> absent;  ///< absent steps in the order in which they begin to wait
  Scope scope;              ///< one source for each step
};

/// Reads the tree of a pattern. `fields_of` gives the fields of a stream (or throws PlanError).
PatternPlan bind_pattern(const ast::StateInput& input,
                         const std::function<Fields(const ast::StreamSource&)>& fields_of,
                         const Scope& base);

class Pattern {
 public:
  /// Takes a match that time completes.
  using ByTime = std::function<void(Combined)>;

  Pattern(const PatternPlan& plan, Clock& clock, const std::vector<Table*>& tables, Work& work,
          ByTime by_time);

  /// Matches that `event` of `stream` completes: one list for each step that it was offered to.
  std::vector<CombinedChunk> offer(const std::string& stream, const Event& event);

  /// Whether a stream stands for several steps (its matches then leave together).
  bool several_steps(const std::string& stream) const;

 private:
  struct Match {
    std::vector<std::vector<EventPtr>> slots;
    int64_t timestamp = -1;
    bool expired = false;
  };
  using MatchPtr = std::shared_ptr<Match>;
  struct Step {
    std::list<MatchPtr> pending;
    std::vector<MatchPtr> arriving;
    bool changed = false;
    bool success = false;
    bool initialized = false;
    bool restart_asked = false;
    bool completed = false;
    // Of absent steps.
    bool active = true;     ///< without `every` the first match is the last
    int64_t scheduled = 0;  ///< when what waits without a time of its own has waited long enough
    int64_t arrived = 0;    ///< of a half: when an event came that should not have; 0: none
  };

  void init(int step);
  void add(int step, const MatchPtr& match);
  void add_every(int step, const Match& match);
  void reset(int step);
  void update(int step);
  void expire(int step, int64_t timestamp);
  bool is_expired(const Match& match, int64_t timestamp) const;
  bool passes(int step, const Match& match);
  void matched(int step, const MatchPtr& match);
  void stream_matched(int step, const MatchPtr& match);
  void count_matched(int step, const MatchPtr& match);
  void least_count_reached(int step, const MatchPtr& match);
  CombinedChunk process(int step, const EventPtr& event);
  void process_one(int step, const MatchPtr& match, const EventPtr& event, bool& erase);

  // pattern_absent.cc
  bool is_half(int step) const { return plan_of(step).partner >= 0; }
  void start_waiting();
  void wake(int step, int64_t time);
  void wake_after(int step, int64_t since);
  void add_absent(int step, const MatchPtr& match);
  void add_every_absent(int step, const Match& match);
  void reset_absent(int step);
  bool can_proceed_without(int absent, const Match& match);
  void offer_to_absent(int step, const EventPtr& event);
  void offer_to_absent_half(int step, const EventPtr& event);
  void waited(int step);
  void half_waited(int step);
  bool take_nothing(int step, const MatchPtr& match);
  void pass_absent(int step, const MatchPtr& match);

  std::vector<EventPtr>& slot(int step, Match& match) {
    return match.slots[static_cast<size_t>(step)];
  }
  static Combined combined_of(const Match& match);
  const StepPlan& plan_of(int step) const { return plan_.steps[static_cast<size_t>(step)]; }
  Step& at(int step) { return steps_[static_cast<size_t>(step)]; }
  MatchPtr new_match() const;

  const PatternPlan& plan_;
  Clock& clock_;
  const std::vector<Table*>& tables_;
  Work& work_;
  ByTime by_time_;
  std::vector<Step> steps_;
};

}  // namespace pollux::oracle
