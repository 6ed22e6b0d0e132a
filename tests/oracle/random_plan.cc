#include "tests/oracle/random_plan.h"

#include "tests/oracle/plan_maker.h"
#include "tests/oracle/random_events.h"

namespace pollux::oracle {

RandomCase random_case(uint64_t seed, int size) {
  Random random(seed);
  RandomCase made;
  made.seed = seed;
  PlanMaker(random, made, size).make();
  make_events(random, made, size);
  return made;
}

std::string RandomCase::plan() const {
  std::string text;
  for (const std::string& part : parts) text += part + "\n";
  return text;
}

std::string RandomCase::events() const {
  std::string text;
  for (const InputRun& run : runs) {
    for (const InputRow& row : run.rows) {
      text +=
          run.stream + (run.one_chunk ? " (one chunk) @" : " @") + std::to_string(row.timestamp);
      for (const Value& value : row.row) text += " | " + java_text(value);
      text += "\n";
    }
  }
  return text + "tick @" + std::to_string(final_tick) + "\n";
}

}  // namespace pollux::oracle
