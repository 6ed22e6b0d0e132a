#include "ha/producers/producer_table.h"

#include <algorithm>
#include <vector>

namespace pollux {

ProducerTable::Judged ProducerTable::judge(std::string_view producer, uint64_t number) const {
  Judged judged;
  auto known = producers_.find(producer);
  if (known != producers_.end()) {
    judged.expected = known->second.last + 1;
    judged.last = known->second.entry;
  } else if (producers_.size() >= producers_max_) {
    judged.verdict = Verdict::kTooMany;
    return judged;
  }
  if (number < judged.expected) judged.verdict = Verdict::kSeen;
  if (number > judged.expected) judged.verdict = Verdict::kOutOfTurn;
  return judged;
}

void ProducerTable::take(std::string_view producer, uint64_t number, EntryId entry,
                         int64_t now_ms) {
  forget(now_ms);
  auto known = producers_.find(producer);
  if (known == producers_.end()) known = producers_.emplace(producer, Producer{}).first;
  known->second = {number, entry, now_ms};
}

void ProducerTable::archive(StateArchive& archive) {
  std::vector<std::string> names;
  for (const auto& [name, producer] : producers_) names.push_back(name);
  std::sort(names.begin(), names.end());
  if (archive.loads()) producers_.clear();
  archive.list(names, [&](std::string& name) {
    archive(name);
    Producer& producer = producers_[name];
    archive(producer.last, producer.entry.epoch.value, producer.entry.position.value,
            producer.heard_ms);
  });
  if (archive.failed()) producers_.clear();
}

/// Looks once in a while at all of them.
void ProducerTable::forget(int64_t now_ms) {
  if (now_ms < next_forget_ms_) return;
  next_forget_ms_ = now_ms + forget_after_ms_ / 100 + 1;
  std::erase_if(producers_, [&](const auto& producer) {
    return producer.second.heard_ms + forget_after_ms_ < now_ms;
  });
}

}  // namespace pollux
