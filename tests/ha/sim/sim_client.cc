#include "tests/ha/sim/sim_client.h"

#include <utility>

#include "tests/ha/sim/sim_plan.h"

namespace pollux {
namespace {

Place other(Place node) { return node == Place::kNodeA ? Place::kNodeB : Place::kNodeA; }

}  // namespace

void SimClients::start() {
  for (size_t i = 0; i < producers_.size(); ++i) {
    producers_[i].node = chance_.one_in(2) ? Place::kNodeA : Place::kNodeB;
    begin(i);
  }
  look_for_silence();
}

bool SimClients::all_acknowledged() const {
  for (const Producer& producer : producers_) {
    if (!producer.unanswered.empty()) return false;
  }
  return true;
}

void SimClients::begin(size_t index) {
  Producer& producer = producers_[index];
  if (finishing_) return;
  if (producer.unanswered.size() < kUnansweredMax) {
    uint64_t number = producer.next++;
    producer.unanswered[number].batch = some_logins(chance_, 1'700'000'000'000 + time_.now_ms());
    send(index, number);
  }
  time_.after_us(chance_.between(1000, 2 * pace_us_), [this, index] { begin(index); });
}

void SimClients::send(size_t index, uint64_t number) {
  Producer& producer = producers_[index];
  Batch& batch = producer.unanswered.at(number);
  batch.sent_us = time_.now_us();
  uint64_t attempt = ++batch.attempt;
  Place node = producer.node;
  BatchRequest request{producer.name, number, batch.batch, false,
                       [this, node, index, number, attempt](const BatchAnswer& answer) {
                         network_.send(node, Place::kClients,
                                       [this, index, number, attempt, answer] {
                                         answered(index, number, attempt, answer);
                                       });
                       }};
  network_.send(Place::kClients, node, [this, node, request] { send_(node, request); });
}

void SimClients::answered(size_t index, uint64_t number, uint64_t attempt,
                          const BatchAnswer& answer) {
  Producer& producer = producers_[index];
  auto batch = producer.unanswered.find(number);
  if (batch == producer.unanswered.end()) return;
  if (answer.kind == BatchAnswer::Kind::kAcknowledged) {
    producer.unanswered.erase(batch);
    ++acknowledged_;
    return;
  }
  if (attempt != batch->second.attempt) return;
  bool forgotten = answer.kind == BatchAnswer::Kind::kExpected &&
                   answer.expected < producer.unanswered.begin()->first;
  if (forgotten) return begin_anew(index);
  if (answer.kind == BatchAnswer::Kind::kRefused) producer.node = other(producer.node);
  // Again soon: the one before it may be on its way, or somebody else may lead by then.
  batch->second.sent_us = time_.now_us() - kPatienceUs + chance_.between(5'000, 60'000);
}

/// Batches that were acknowledged are lost, since a lead was forced: it goes by another name.
void SimClients::begin_anew(size_t index) {
  Producer& producer = producers_[index];
  producer.name = "p" + std::to_string(index) + "." + std::to_string(++producer.name_changes);
  producer.next = 1;
  std::map<uint64_t, Batch> again;
  for (auto& [number, batch] : producer.unanswered) again[producer.next++] = std::move(batch);
  producer.unanswered = std::move(again);
  for (auto& [number, batch] : producer.unanswered) send(index, number);
}

void SimClients::look_for_silence() {
  for (size_t i = 0; i < producers_.size(); ++i) {
    bool turned = false;
    for (auto& [number, batch] : producers_[i].unanswered) {
      if (time_.now_us() - batch.sent_us < kPatienceUs) continue;
      if (!turned && chance_.one_in(2)) producers_[i].node = other(producers_[i].node);
      turned = true;
      send(i, number);
    }
  }
  time_.after_us(20'000, [this] { look_for_silence(); });
}

}  // namespace pollux
