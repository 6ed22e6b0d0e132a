#include "tests/oracle/plan_maker.h"

#include <algorithm>

namespace pollux::oracle {

using Type = AttributeType;

std::vector<Reach> PlanMaker::reach_of(const std::vector<Attribute>& fields,
                                       const std::string& prefix) {
  std::vector<Reach> reach;
  for (const Attribute& field : fields) reach.push_back({prefix + field.name, field.type});
  return reach;
}

void PlanMaker::make() {
  define_streams();
  if (random_.chance(45)) define_table();
  if (random_.chance(15)) define_table();
  if (random_.chance(30)) define_window();
  if (random_.chance(12)) define_trigger();
  auto queries = random_.between(1, std::min(size_, 6));
  for (int64_t i = 0; i < queries; ++i) {
    if (random_.chance(18)) {
      add_partition();
    } else {
      made_.parts.push_back(query() + ";");
    }
  }
}

std::string PlanMaker::query() {
  if (random_.chance(4)) {
    if (auto made = loop()) return *made;
  }
  Input from = input();
  std::string text = "from " + from.text;
  std::optional<std::string> filled;
  if (random_.chance(50)) filled = insert_into_window(from);
  if (filled) {
    text += *filled;
  } else if (!tables_.empty() && random_.chance(45)) {
    text += change_table(from);
  } else {
    text += insert(from, random_.chance(60), !in_partition_ ? false : random_.chance(35));
  }
  publish();
  return text;
}

// Outputs can be read once the query that makes them is complete.
void PlanMaker::publish() {
  std::move(new_outputs_.begin(), new_outputs_.end(), std::back_inserter(streams_));
  new_outputs_.clear();
}

std::string PlanMaker::key_of(const RandomStream& stream) {
  if (random_.chance(25)) {
    std::vector<Reach> reach = reach_of(stream.fields, "");
    return random_condition(random_, reach, 1) + " as 'one' or " +
           random_condition(random_, reach, 1) + " as 'two' of " + stream.name;
  }
  std::vector<std::string> keys;
  for (const Attribute& field : stream.fields) {
    if (field.type == Type::kString || field.type == Type::kInt || field.type == Type::kBool) {
      keys.push_back(field.name);
    }
  }
  return keys.empty() ? stream.fields[0].name + " of " + stream.name
                      : random_.pick(keys) + " of " + stream.name;
}

void PlanMaker::add_partition() {
  std::string keys;
  for (const RandomStream& stream : streams_) {
    if (stream.named_window || (!keys.empty() && random_.chance(20))) continue;
    keys += (keys.empty() ? "" : ", ") + key_of(stream);
  }
  in_partition_ = true;
  std::string body;
  auto count = random_.between(1, 3);
  // What the partition puts out is not keyed inside it: it is read from outside only.
  std::vector<RandomStream> outputs;
  for (int64_t i = 0; i < count; ++i) {
    size_t before = streams_.size();
    body += "  " + query() + ";\n";
    std::move(streams_.begin() + static_cast<long>(before), streams_.end(),
              std::back_inserter(outputs));
    streams_.resize(before);
  }
  in_partition_ = false;
  inner_.clear();
  std::move(outputs.begin(), outputs.end(), std::back_inserter(streams_));
  made_.parts.push_back("partition with (" + keys + ") begin\n" + body + "end;");
}

}  // namespace pollux::oracle
