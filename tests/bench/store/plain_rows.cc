#include "tests/bench/store/plain_rows.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/workload_data.h"

namespace pollux::bench {
namespace {

constexpr size_t kTsColumn = 4;

}  // namespace

std::shared_ptr<EventBatch> plain_rows(uint32_t rows) {
  auto schema = std::make_shared<const Schema>(
      "Rows", std::vector<Attribute>{{"username", AttributeType::kString},
                                     {"ip", AttributeType::kString},
                                     {"success", AttributeType::kBool},
                                     {"region", AttributeType::kString},
                                     {"ts", AttributeType::kLong},
                                     {"risk", AttributeType::kDouble},
                                     {"half", AttributeType::kDouble},
                                     {"second", AttributeType::kLong},
                                     {"level", AttributeType::kInt},
                                     {"kind", AttributeType::kString}});
  auto batch = std::make_shared<EventBatch>(schema);
  for (const LoginEvent& event : make_events(kDefaultSeed, rows)) {
    const Value values[] = {
        event.username, event.ip,         event.success,   event.region, event.ts,
        event.risk,     event.risk * 0.5, event.ts / 1000, int32_t{7},   std::string("login")};
    for (size_t c = 0; c < std::size(values); ++c) batch->append_value(c, values[c]);
    batch->end_row(event.ts);
  }
  return batch;
}

void move_on(EventBatch& rows, int64_t ms) {
  auto* ts = rows.column(kTsColumn).mutable_data<int64_t>();
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    ts[row] += ms;
    rows.mutable_timestamps()[row] += ms;
  }
}

}  // namespace pollux::bench
