// Queries on patterns and sequences.
#include "tests/oracle/query_chain.h"
#include "tests/oracle/query_instance.h"

namespace pollux::oracle {

namespace {

using Parts = QueryPlan::Parts;

class PatternInstance : public Instance {
 public:
  PatternInstance(const Parts& parts, const Surroundings& where)
      : Instance(parts, where),
        pattern_(*parts.pattern, where.plan->clock, where.plan->table_pointers, where.plan->work,
                 [this](Combined match) { select({{std::move(match)}}); }) {
    for (const std::string& stream : parts.inputs) {
      auto entry = std::make_unique<Entry>();
      entry->instance = this;
      entry->stream = stream;
      entries_.push_back(std::move(entry));
    }
  }

  Receiver* receiver(const std::string& stream) override {
    for (auto& entry : entries_) {
      if (entry->stream == stream) return entry.get();
    }
    return nullptr;
  }

 private:
  struct Entry : Receiver {
    PatternInstance* instance = nullptr;
    std::string stream;
    void receive(const Chunk& chunk) override { instance->enter(stream, chunk); }
  };

  // Each match is a chunk of its own to the selector. Where a stream stands for several steps,
  // what comes of one event at one step leaves as one chunk, after the whole chunk was offered;
  // else each match leaves alone.
  void enter(const std::string& stream, const Chunk& chunk) {
    bool together = pattern_.several_steps(stream);
    std::vector<CombinedChunk> outs;
    for (const Event& event : chunk) {
      for (CombinedChunk& matches : pattern_.offer(stream, event)) {
        if (!together) {
          for (Combined& match : matches) outs.push_back({std::move(match)});
          continue;
        }
        CombinedChunk out;
        gathered_ = &out;
        for (Combined& match : matches) select({{std::move(match)}});
        gathered_ = nullptr;
        if (!out.empty()) outs.push_back(std::move(out));
      }
    }
    for (CombinedChunk& out : outs) {
      if (together) {
        let_out(std::move(out));
      } else {
        select({std::move(out)});
      }
    }
  }

  Pattern pattern_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace

std::unique_ptr<QueryInstance> make_pattern(const QueryPlan::Parts& parts,
                                            const Surroundings& where) {
  return std::make_unique<PatternInstance>(parts, where);
}

}  // namespace pollux::oracle
