// The plan that both nodes of the simulation run, with state of every kind, and events for it.
// Thread: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "tests/ha/sim/chance.h"

namespace pollux {

inline constexpr char kSimPlan[] = "Guard";
inline constexpr char kSimResults[] = "Alerts";

/// A time window, a pattern, a partition and a table; all results go to one stream. Not every row
/// is a result, so that a seed is not spent on carrying them about.
inline constexpr char kSimPlanText[] = R"(
@app:name('Guard')
define stream LoginStream (username string, ok bool, n long);
@primaryKey('username')
define table Failed (username string, times long);
define stream Alerts (kind string, username string, value long);

from LoginStream#window.time(3 sec)
select 'window' as kind, username, sum(n) as value group by username
having value % 3 == 0
insert into Alerts;

from every e1=LoginStream[ok == false] -> e2=LoginStream[username == e1.username and ok == true]
  within 5 sec
select 'pattern' as kind, e1.username as username, e2.n as value
insert into Alerts;

partition with (username of LoginStream) begin
  from LoginStream#window.length(3)
  select 'partition' as kind, username, max(n) as value
  having value % 3 == 0
  insert into Alerts;
end;

from LoginStream[ok == false]
select username, n as times
update or insert into Failed set Failed.times = times on Failed.username == username;

from LoginStream[ok == true] join Failed on LoginStream.username == Failed.username
select 'table' as kind, LoginStream.username as username, Failed.times as value
insert into Alerts;
)";

inline EngineOptions sim_engine_options() {
  EngineOptions options;
  options.is_result = [](std::string_view, std::string_view stream) {
    return stream == kSimResults;
  };
  return options;
}

inline EventBatchPtr some_logins(Chance& chance, int64_t now_ms) {
  static const SchemaPtr kSchema = std::make_shared<const Schema>(
      "LoginStream", std::vector<Attribute>{{"username", AttributeType::kString},
                                            {"ok", AttributeType::kBool},
                                            {"n", AttributeType::kLong}});
  auto batch = std::make_shared<EventBatch>(kSchema);
  for (uint64_t rows = 1 + chance.below(2); rows > 0; --rows) {
    batch->append_value(0, std::string(1, static_cast<char>('a' + chance.below(4))));
    batch->append_value(1, chance.one_in(2));
    batch->append_value(2, static_cast<int64_t>(chance.below(1'000'000)));
    batch->end_row(now_ms);
  }
  return batch;
}

/// A number that stands for all that a row says.
inline uint64_t content_of(const EventBatch& batch, uint32_t row) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t column = 0; column < batch.schema().attributes().size(); ++column) {
    for (char byte : to_text(batch.value(row, column))) {
      hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
    }
    hash = (hash ^ 0xff) * 0x100000001b3;
  }
  return hash;
}

}  // namespace pollux
