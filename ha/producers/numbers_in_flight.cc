#include "ha/producers/numbers_in_flight.h"

namespace pollux {

ProducerTable::Judged NumbersInFlight::judge(const ProducerTable& table, std::string_view producer,
                                             uint64_t number) const {
  auto latest = latest_.find(producer);
  if (latest == latest_.end()) return table.judge(producer, number);
  ProducerTable::Judged judged;
  judged.expected = latest->second.number + 1;
  judged.last = latest->second.entry;
  if (number < judged.expected) judged.verdict = ProducerTable::Verdict::kSeen;
  if (number > judged.expected) judged.verdict = ProducerTable::Verdict::kOutOfTurn;
  return judged;
}

void NumbersInFlight::committed(std::string_view producer, EntryId entry) {
  auto latest = latest_.find(producer);
  if (latest != latest_.end() && latest->second.entry == entry) latest_.erase(latest);
}

}  // namespace pollux
