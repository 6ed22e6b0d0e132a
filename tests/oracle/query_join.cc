// Joins.
#include <optional>

#include "tests/oracle/named_window.h"
#include "tests/oracle/query_chain.h"
#include "tests/oracle/query_instance.h"

namespace pollux::oracle {

namespace {

using Parts = QueryPlan::Parts;

std::vector<EventPtr> one(const Event& event) { return {std::make_shared<Event>(event)}; }

class JoinInstance : public Instance {
 public:
  JoinInstance(const Parts& parts, const Surroundings& where)
      : Instance(parts, where), join_(std::get<ast::JoinInput>(parts.query->input)) {
    for (int side : {0, 1}) {
      sides_[side].table = source(side).inner ? nullptr : plan().find_table(source(side).stream);
    }
    for (int side : {0, 1}) {
      Side& own = sides_[side];
      if (own.table != nullptr) continue;
      own.entry.instance = this;
      own.entry.side = side;
      own.window = source(side).inner ? nullptr : plan().find_window(source(side).stream);
      if (own.window != nullptr) continue;
      WindowContext context{&plan().clock, parts.expired_wanted(), true, &plan().table_pointers};
      own.chain.emplace(source(side), parts.scope.sources[static_cast<size_t>(side)], context,
                        plan().base_scope(),
                        [this, side](std::vector<Chunk> chunks) { take(side, std::move(chunks)); });
    }
    both_.instance = this;
    both_.side = -1;
  }

  Receiver* receiver(const std::string& stream) override {
    bool left = sides_[0].table == nullptr && name_of(join_.left) == stream;
    bool right = sides_[1].table == nullptr && name_of(join_.right) == stream;
    if (left && right) return &both_;
    if (left) return &sides_[0].entry;
    return right ? &sides_[1].entry : nullptr;
  }

 private:
  struct Entry : Receiver {
    JoinInstance* instance = nullptr;
    int side = -1;
    void receive(const Chunk& chunk) override { instance->enter(side, chunk); }
  };
  struct Side {
    Table* table = nullptr;
    NamedWindow* window = nullptr;
    std::optional<Chain> chain;
    Entry entry;
  };

  const ast::StreamSource& source(int side) const { return side == 0 ? join_.left : join_.right; }

  // A stream on both sides: each row goes to the left, then to the right; then what came out is
  // sent, the left's apart from the right's.
  void enter(int side, const Chunk& chunk) {
    if (side >= 0 && sides_[side].window != nullptr) return take(side, {chunk});
    if (side >= 0) return sides_[side].chain->process(chunk);
    std::vector<CombinedChunk> outs;
    for (const Event& event : chunk) {
      for (Side& each : sides_) {
        CombinedChunk out;
        gathered_ = &out;
        each.chain->process({event});
        gathered_ = nullptr;
        if (!out.empty()) outs.push_back(std::move(out));
      }
    }
    for (CombinedChunk& out : outs) let_out(std::move(out));
  }

  bool triggers(int side) const {
    if (join_.trigger == ast::JoinInput::Trigger::kBoth) return true;
    return (join_.trigger == ast::JoinInput::Trigger::kLeft) == (side == 0);
  }

  bool outer(int side) const {
    if (join_.kind == ast::JoinInput::Kind::kFullOuter) return true;
    return join_.kind ==
           (side == 0 ? ast::JoinInput::Kind::kLeftOuter : ast::JoinInput::Kind::kRightOuter);
  }

  std::vector<EventPtr> contents(int side) const {
    const Side& other = sides_[side];
    if (other.window != nullptr) return other.window->window().contents();
    if (other.table == nullptr) return other.chain->window()->contents();
    std::vector<EventPtr> rows;
    for (const Row& row : other.table->rows()) {
      auto event = std::make_shared<Event>();
      event->data = row;
      rows.push_back(event);
    }
    return rows;
  }

  bool fits(const Combined& combined) {
    if (!parts_.join_condition.eval) return true;
    EvalContext context{&combined, nullptr, plan().clock.now(), &plan().table_pointers};
    return is_true(parts_.join_condition.eval(context));
  }

  void take(int side, std::vector<Chunk> chunks) {
    if (!triggers(side)) return;
    std::vector<CombinedChunk> joined;
    for (const Chunk& chunk : chunks) {
      for (const Event& event : chunk) join_one(side, event, joined);
    }
    select(std::move(joined));
  }

  // What one event of a window finds in the other is a chunk of its own to the selector.
  void join_one(int side, const Event& event, std::vector<CombinedChunk>& joined) {
    if (event.kind == EventKind::kTimer) return;
    Combined combined;
    combined.kind = event.kind;
    combined.timestamp = event.timestamp;
    combined.slots.resize(2);
    combined.slots[static_cast<size_t>(side)] = one(event);
    if (event.kind == EventKind::kReset) {
      joined.push_back({combined});
      return;
    }
    CombinedChunk found;
    std::vector<EventPtr> others = contents(1 - side);
    plan().work.add(others.size());
    for (const EventPtr& other : others) {
      combined.slots[static_cast<size_t>(1 - side)] = {other};
      if (fits(combined)) found.push_back(combined);
    }
    if (found.empty() && outer(side)) {
      combined.slots[static_cast<size_t>(1 - side)].clear();
      found.push_back(combined);
    }
    if (!found.empty()) joined.push_back(std::move(found));
  }

  const ast::JoinInput& join_;
  Side sides_[2];
  Entry both_;
};

}  // namespace

std::unique_ptr<QueryInstance> make_join(const QueryPlan::Parts& parts, const Surroundings& where) {
  return std::make_unique<JoinInstance>(parts, where);
}

}  // namespace pollux::oracle
