// session(gap [, key [, allowed.latency]]): rows go on as they come, and leave together with all
// others of their session, once no row of their key came for the gap.
//
// With an allowed latency a session that ended stays for that long as the previous one of its key:
// a late row may still join it, or join it to the session after it. Times are those of the rows.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "engine/operators/window.h"

namespace pollux {

class SessionWindow final : public WindowOperator {
 public:
  SessionWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next), keys_(context.strings()) {}
  void contents(uint32_t key, std::vector<Slot>& slots) override;
  size_t state_bytes() const override;

 private:
  struct Session {
    std::deque<Slot> rows;  ///< empty: there is no such session
    int64_t start = 0;
    int64_t end = 0;      ///< the gap after the latest row
    uint64_t opened = 0;  ///< how many of the instance were opened before

    void archive(StateArchive& archive);
  };
  struct Sessions {
    Session current, previous;

    void archive(StateArchive& archive) { archive(current, previous); }
  };
  /// By when it ends; of those that end together the one that was opened first is the first.
  struct End {
    int64_t end_ms = 0;
    uint64_t opened = 0;
    uint32_t number = 0;  ///< of the key

    auto operator<=>(const End&) const = default;
  };
  static End end_of(const Session& session, uint32_t number) {
    return {session.end, session.opened, number};
  }
  using Ends = std::set<End>;
  struct State {
    Ends current, previous;
    int64_t last_asked = std::numeric_limits<int64_t>::min();
    uint64_t opened = 0;
    std::vector<Slot> leaving;  ///< go on behind the chunk in hand

    void archive(StateArchive& archive) { archive(last_asked, opened); }
  };

  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void end_chunk(uint32_t key, int64_t clock) override;
  void on_deadline(uint32_t key) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;

  void begin(uint32_t key, uint32_t number, Slot slot, int64_t time);
  void set_end(uint32_t key, uint32_t number, int64_t end);
  void set_previous_end(uint32_t key, uint32_t number, int64_t end);
  bool take_late(uint32_t key, uint32_t number, Slot slot, int64_t time);
  void become_previous(uint32_t key, uint32_t number);
  void end_at_deadline(uint32_t key, uint32_t number);
  void join_previous(uint32_t key, uint32_t number);
  void leave(State& state, Session& session);
  void forget_if_empty(uint32_t number);
  void ask(uint32_t key, int64_t deadline);
  void hand_leaving(uint32_t key);

  GroupTable keys_;
  std::vector<Sessions> sessions_;  ///< by number of the key
  KeyedState<State> states_;
};

}  // namespace pollux
