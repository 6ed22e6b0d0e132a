// Random rows for the streams of a plan.
#include "tests/oracle/random_events.h"

#include <algorithm>

namespace pollux::oracle {

namespace {

using Type = AttributeType;

Value random_value(Random& random, const Attribute& field, int64_t timestamp) {
  if (field.name == "t") return timestamp;
  if (random.chance(5)) return {};
  switch (field.type) {
    case Type::kString:
      if (field.name == "k") return random.word({"a", "b", "c"});
      return random.word({"a", "b", "7", "", "text of more than twelve bytes", "Ωmega"});
    case Type::kInt:
      return static_cast<int32_t>(random.between(-2, 5));
    case Type::kLong:
      return random.chance(3) ? int64_t{4611686018427387904} : random.between(-3, 6);
    case Type::kFloat:
      return random.pick(std::vector<float>{-1.5f, 0.1f, 0.5f, 1.5f, 2.0f, 3.3f});
    case Type::kDouble:
      return random.pick(std::vector<double>{-2.25, 0.1, 0.2, 0.3, 1.5, 7.7, 100.0, 1e7});
    default:
      return random.chance(50);
  }
}

}  // namespace

void make_events(Random& random, RandomCase& made, int size) {
  int64_t now = 1700000000000 + random.between(0, 5000);
  auto rows = random.between(5, std::min(20 + 10 * size, 80));
  for (int64_t i = 0; i < rows;) {
    const SchemaPtr& schema = random.pick(made.inputs);
    InputRun run;
    run.stream = schema->name();
    run.one_chunk = random.chance(6);
    auto length = random.between(1, 6);
    for (int64_t j = 0; j < length && i < rows; ++j, ++i) {
      InputRow row{now, {}};
      for (const Attribute& field : schema->attributes()) {
        row.row.push_back(random_value(random, field, now));
      }
      run.rows.push_back(std::move(row));
      if (run.one_chunk) continue;
      if (random.chance(4)) {
        now += random.between(3000, 12000);
      } else if (!random.chance(25)) {
        now += random.between(1, 400);
      }
    }
    if (run.one_chunk) now += random.between(0, 300);
    made.runs.push_back(std::move(run));
  }
  made.final_tick = now + random.between(0, 8000);
}

}  // namespace pollux::oracle
