#include "engine/operators/windows_session.h"

#include <algorithm>

namespace pollux {

void SessionWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  State& state = states_.at(key);
  for (const auto& [end, opened, number] : state.previous) {
    const std::deque<Slot>& rows = sessions_[number].previous.rows;
    slots.insert(slots.end(), rows.begin(), rows.end());
  }
  for (const auto& [end, opened, number] : state.current) {
    const std::deque<Slot>& rows = sessions_[number].current.rows;
    slots.insert(slots.end(), rows.begin(), rows.end());
  }
}

size_t SessionWindow::state_bytes() const {
  return WindowOperator::state_bytes() + keys_.bytes() + sessions_.capacity() * sizeof(Sessions) +
         store().size() * sizeof(Slot);
}

/// One deadline for neighbours of one time, so that what leaves at one moment leaves together.
void SessionWindow::ask(uint32_t key, int64_t deadline) {
  State& state = states_.at(key);
  if (state.last_asked == deadline) return;
  state.last_asked = deadline;
  schedule(key, deadline);
}

void SessionWindow::set_end(uint32_t key, uint32_t number, int64_t end) {
  Session& session = sessions_[number].current;
  states_.at(key).current.erase(end_of(session, number));
  session.end = end;
  states_.at(key).current.insert(end_of(session, number));
  ask(key, end);
}

void SessionWindow::set_previous_end(uint32_t key, uint32_t number, int64_t end) {
  Session& session = sessions_[number].previous;
  states_.at(key).previous.erase(end_of(session, number));
  session.end = end;
  states_.at(key).previous.insert(end_of(session, number));
  ask(key, end + plan().latency_ms);
}

void SessionWindow::begin(uint32_t key, uint32_t number, Slot slot, int64_t time) {
  Session& session = sessions_[number].current;
  session.rows.push_back(slot);
  session.start = time;
  session.opened = states_.at(key).opened++;
  set_end(key, number, time + plan().extent);
}

void SessionWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t) {
  StringRef row_key_or_none = plan().row_keys.empty() ? StringRef() : row_key();
  uint32_t number = keys_.find_or_insert(row_key_or_none, key);
  if (number >= sessions_.size()) sessions_.resize(number + 1);
  Session& session = sessions_[number].current;
  if (session.rows.empty()) {
    begin(key, number, slot, time);
  } else if (time < session.start) {
    if (!take_late(key, number, slot, time)) return drop(slot);
  } else if (time <= session.end) {
    session.rows.push_back(slot);
    set_end(key, number, std::max(session.end, time + plan().extent));
  } else {
    become_previous(key, number);
    begin(key, number, slot, time);
  }
  emit_current(key, slot);
}

/// A row from before the session's start: within the gap it belongs to it, further back it may
/// belong to the previous one. False: it is too late.
bool SessionWindow::take_late(uint32_t key, uint32_t number, Slot slot, int64_t time) {
  Session& current = sessions_[number].current;
  Session& previous = sessions_[number].previous;
  int64_t gap = plan().extent;
  if (time >= current.start - gap) {
    current.rows.push_front(slot);
    current.start = time;
    join_previous(key, number);
    return true;
  }
  if (previous.rows.empty() || time < previous.start - gap) return false;
  previous.rows.push_back(slot);
  previous.start = std::min(previous.start, time);
  set_previous_end(key, number, std::max(previous.end, time + gap));
  join_previous(key, number);
  return true;
}

/// The two sessions of a key are one when no gap is left between them.
void SessionWindow::join_previous(uint32_t key, uint32_t number) {
  Session& current = sessions_[number].current;
  Session& previous = sessions_[number].previous;
  if (previous.rows.empty() || previous.end < current.start - plan().extent) return;
  current.rows.insert(current.rows.begin(), previous.rows.begin(), previous.rows.end());
  current.start = std::min(current.start, previous.start);
  states_.at(key).previous.erase(end_of(previous, number));
  previous = Session{};
}

/// The current session is over: it leaves, or waits for late rows.
void SessionWindow::become_previous(uint32_t key, uint32_t number) {
  State& state = states_.at(key);
  Session& current = sessions_[number].current;
  Session& previous = sessions_[number].previous;
  state.current.erase(end_of(current, number));
  if (plan().latency_ms == 0) return leave(state, current);
  state.previous.erase(end_of(previous, number));
  leave(state, previous);
  std::swap(previous, current);
  set_previous_end(key, number, previous.end);
}

void SessionWindow::leave(State& state, Session& session) {
  state.leaving.insert(state.leaving.end(), session.rows.begin(), session.rows.end());
  session = Session{};
}

void SessionWindow::forget_if_empty(uint32_t number) {
  const Sessions& both = sessions_[number];
  if (both.current.rows.empty() && both.previous.rows.empty()) keys_.release(number);
}

void SessionWindow::hand_leaving(uint32_t key) {
  std::vector<Slot>& leaving = states_.at(key).leaving;
  for (Slot slot : leaving) {
    emit_expired(key, slot, rows().timestamp(slot));
    release_later(slot);
  }
  leaving.clear();
}

void SessionWindow::end_chunk(uint32_t key, int64_t) { hand_leaving(key); }

/// A previous session that is over at the same moment becomes part of it.
void SessionWindow::end_at_deadline(uint32_t key, uint32_t number) {
  Session& previous = sessions_[number].previous;
  states_.at(key).previous.erase(end_of(previous, number));
  std::deque<Slot> older = std::move(previous.rows);
  previous = Session{};
  become_previous(key, number);
  std::deque<Slot>& rows = previous.rows;
  rows.insert(rows.begin(), older.begin(), older.end());
}

void SessionWindow::on_deadline(uint32_t key) {
  State& state = states_.at(key);
  int64_t now = context().due_ms();
  while (!state.current.empty() && state.current.begin()->end_ms <= now) {
    uint32_t number = state.current.begin()->number;
    end_at_deadline(key, number);
    forget_if_empty(number);
  }
  while (!state.previous.empty() && state.previous.begin()->end_ms + plan().latency_ms <= now) {
    uint32_t number = state.previous.begin()->number;
    state.previous.erase(state.previous.begin());
    leave(state, sessions_[number].previous);
    forget_if_empty(number);
  }
  cut_chunk();
  hand_leaving(key);
  cut_chunk();
}

void SessionWindow::Session::archive(StateArchive& archive) {
  std::vector<Slot> slots(rows.begin(), rows.end());
  archive(slots, start, end, opened);
  rows.assign(slots.begin(), slots.end());
}

void SessionWindow::archive_held(StateArchive& archive) {
  archive(keys_, sessions_, states_);
  if (!archive.loads()) return;
  if (sessions_.size() < keys_.capacity()) return archive.fail();
  for (uint32_t number = 0; number < sessions_.size(); ++number) {
    const Sessions& both = sessions_[number];
    bool open = !both.current.rows.empty() || !both.previous.rows.empty();
    if (open != keys_.is_live(number)) return archive.fail();
    if (!open) continue;
    if (keys_.instance(number) >= states_.all().size()) return archive.fail();
    for (Slot slot : both.current.rows) check_slot(archive, slot);
    for (Slot slot : both.previous.rows) check_slot(archive, slot);
    State& state = states_.at(keys_.instance(number));
    if (!both.current.rows.empty()) state.current.insert(end_of(both.current, number));
    if (!both.previous.rows.empty()) state.previous.insert(end_of(both.previous, number));
  }
}

void SessionWindow::release_key(uint32_t key) {
  State& state = states_.at(key);
  for (const auto& [end, opened, number] : state.current) {
    leave(state, sessions_[number].current);
    forget_if_empty(number);
  }
  for (const auto& [end, opened, number] : state.previous) {
    leave(state, sessions_[number].previous);
    forget_if_empty(number);
  }
  for (Slot slot : state.leaving) release_later(slot);
  state = State{};
}

}  // namespace pollux
