// Queries on one source.
#include "tests/oracle/query_chain.h"
#include "tests/oracle/query_instance.h"

namespace pollux::oracle {

namespace {

using Parts = QueryPlan::Parts;

std::vector<EventPtr> one(const Event& event) { return {std::make_shared<Event>(event)}; }

Combined combined_of(const Event& event) {
  Combined combined;
  combined.kind = event.kind;
  combined.timestamp = event.timestamp;
  combined.slots = {one(event)};
  return combined;
}

class SingleInstance : public Instance, public Receiver {
 public:
  SingleInstance(const Parts& parts, const Surroundings& where)
      : Instance(parts, where),
        chain_(std::get<ast::StreamSource>(parts.query->input), parts.scope.sources[0],
               {&where.plan->clock, parts.expired_wanted(), false, &where.plan->table_pointers},
               where.plan->base_scope(),
               [this](std::vector<Chunk> chunks) { take(std::move(chunks)); }) {}

  Receiver* receiver(const std::string& stream) override {
    return stream == parts_.inputs[0] ? this : nullptr;
  }
  void receive(const Chunk& chunk) override { chain_.process(chunk); }

 private:
  void take(std::vector<Chunk> chunks) {
    for (const Chunk& chunk : chunks) {
      CombinedChunk combined;
      for (const Event& event : chunk) combined.push_back(combined_of(event));
      select({std::move(combined)});
    }
  }

  Chain chain_;
};

}  // namespace

std::unique_ptr<QueryInstance> make_single(const QueryPlan::Parts& parts,
                                           const Surroundings& where) {
  return std::make_unique<SingleInstance>(parts, where);
}

}  // namespace pollux::oracle
