// Partitions: an instance of every query for each key, made when the key first comes.
#include <algorithm>
#include <map>
#include <optional>

#include "tests/oracle/plan.h"

namespace pollux::oracle {

struct PartitionRuntime::Parts {
  // How a stream's rows find their keys; without any the stream goes to every live instance.
  struct Key {
    Bound value;      ///< by value: its text is the key
    Bound condition;  ///< by range: holds, and `text` is the key
    std::string text;
  };
  struct Entry : Receiver {
    Parts* parts = nullptr;
    std::string stream;
    std::vector<Key> keys;
    void receive(const Chunk& chunk) override { parts->receive(*this, chunk); }
  };
  struct Instance {
    Junctions inner;  ///< inner streams, and the outer ones as this instance sees them
    std::vector<std::unique_ptr<QueryInstance>> queries;
  };

  PlanState* plan = nullptr;
  std::map<std::string, Fields> inner_fields;
  std::vector<QueryPlan> queries;
  std::vector<std::unique_ptr<Entry>> entries;
  std::vector<std::pair<std::string, std::unique_ptr<Instance>>> instances;

  void receive(const Entry& entry, const Chunk& chunk);
  std::vector<std::string> keys_of(const Entry& entry, const Event& event) const;
  void send(const Entry& entry, const std::string& key, const Chunk& chunk);
  Instance& instance(const std::string& key);
};

std::vector<std::string> PartitionRuntime::Parts::keys_of(const Entry& entry,
                                                          const Event& event) const {
  Combined combined;
  combined.kind = event.kind;
  combined.timestamp = event.timestamp;
  combined.slots = {{std::make_shared<Event>(event)}};
  EvalContext context{&combined, nullptr, plan->clock.now(), &plan->table_pointers};
  std::vector<std::string> keys;
  for (const Key& key : entry.keys) {
    if (key.condition.eval) {
      if (is_true(key.condition.eval(context))) keys.push_back(key.text);
    } else {
      Value value = key.value.eval(context);
      if (!is_null(value)) keys.push_back(java_text(value));
    }
  }
  return keys;
}

// A chunk is cut where the key changes; rows without a key vanish. A row that stands in several
// ranges goes to each.
void PartitionRuntime::Parts::receive(const Entry& entry, const Chunk& chunk) {
  if (entry.keys.empty()) {
    std::vector<std::string> live;
    for (const auto& [key, instance] : instances) live.push_back(key);
    for (const std::string& key : live) send(entry, key, chunk);
    return;
  }
  if (chunk.size() == 1) {
    for (const std::string& key : keys_of(entry, chunk[0])) send(entry, key, chunk);
    return;
  }
  std::optional<std::string> current;
  Chunk part;
  for (const Event& event : chunk) {
    bool added = false;
    for (const std::string& key : keys_of(entry, event)) {
      if (current && *current != key) {
        send(entry, *current, std::exchange(part, {}));
        if (added) part.push_back(event);
      }
      current = key;
      if (!added) part.push_back(event);
      added = true;
    }
  }
  if (current) send(entry, *current, part);
}

void PartitionRuntime::Parts::send(const Entry& entry, const std::string& key, const Chunk& chunk) {
  if (!chunk.empty()) instance(key).inner.at(entry.stream)->send(chunk);
}

PartitionRuntime::Parts::Instance& PartitionRuntime::Parts::instance(const std::string& key) {
  for (auto& [name, instance] : instances) {
    if (name == key) return *instance;
  }
  auto made = std::make_unique<Instance>();
  Instance& instance = *made;
  instances.emplace_back(key, std::move(made));
  for (const auto& [name, fields] : inner_fields) {
    instance.inner.emplace(name, std::make_unique<Junction>(name, fields));
  }
  for (const auto& entry : entries) {
    instance.inner.emplace(entry->stream, std::make_unique<Junction>(entry->stream, Fields()));
  }
  for (const QueryPlan& query : queries) {
    instance.queries.push_back(query.instantiate({plan, &instance.inner}));
    for (const std::string& input : query.inputs()) {
      instance.inner.at(input)->subscribe(instance.queries.back()->receiver(input));
    }
  }
  return instance;
}

PartitionRuntime::PartitionRuntime(const ast::Partition& partition, PlanState& plan)
    : parts_(std::make_unique<Parts>()) {
  parts_->plan = &plan;
  for (const ast::PartitionKey& key : partition.keys) {
    if (plan.inferred.count(key.stream) == 0) throw PlanError{"no stream " + key.stream};
  }
  for (const ast::Query& query : partition.queries) {
    parts_->queries.emplace_back(query, plan, &parts_->inner_fields);
  }
  for (const QueryPlan& query : parts_->queries) {
    for (const std::string& input : query.inputs()) {
      bool known = std::any_of(parts_->entries.begin(), parts_->entries.end(),
                               [&](const auto& entry) { return entry->stream == input; });
      if (input[0] == '#' || known) continue;
      auto entry = std::make_unique<Parts::Entry>();
      entry->parts = parts_.get();
      entry->stream = input;
      for (const ast::PartitionKey& key : partition.keys) {
        if (key.stream != input) continue;
        Scope scope = plan.base_scope();
        scope.sources = {{{input}, plan.inferred.at(input)}};
        if (key.value != nullptr) entry->keys.push_back({bind(*key.value, scope), {}, ""});
        for (const ast::PartitionRange& range : key.ranges) {
          entry->keys.push_back({{}, bind(*range.condition, scope), range.key});
        }
      }
      parts_->entries.push_back(std::move(entry));
    }
  }
  for (const auto& entry : parts_->entries) plan.stream(entry->stream).subscribe(entry.get());
}

PartitionRuntime::~PartitionRuntime() = default;

}  // namespace pollux::oracle
