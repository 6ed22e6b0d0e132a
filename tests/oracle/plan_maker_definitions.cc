// Definitions of random plans: streams, tables, named windows, triggers.
#include "tests/oracle/plan_maker.h"

#include <algorithm>

namespace pollux::oracle {

using Type = AttributeType;

namespace {

std::string text(const std::vector<Attribute>& fields) {
  std::string all;
  for (const Attribute& field : fields) {
    all += (all.empty() ? "" : ", ") + field.name + " " + std::string(name_of(field.type));
  }
  return all;
}

}  // namespace

void PlanMaker::define_streams() {
  auto count = random_.between(1, 3);
  for (int64_t i = 1; i <= count; ++i) {
    RandomStream stream;
    stream.name = "In" + std::to_string(i);
    stream.fields = {{"k", Type::kString}, {"t", Type::kLong}};
    for (const Attribute& field : std::vector<Attribute>{{"i", Type::kInt},
                                                         {"l", Type::kLong},
                                                         {"f", Type::kFloat},
                                                         {"d", Type::kDouble},
                                                         {"b", Type::kBool},
                                                         {"s", Type::kString}}) {
      if (random_.chance(70)) stream.fields.push_back(field);
    }
    made_.inputs.push_back(std::make_shared<Schema>(stream.name, stream.fields));
    made_.parts.push_back("define stream " + stream.name + " (" + text(stream.fields) + ");");
    streams_.push_back(std::move(stream));
  }
}

void PlanMaker::define_table() {
  RandomTable table;
  table.name = "T" + std::to_string(tables_.size() + 1);
  table.fields = {{"k", Type::kString}, {"n", Type::kInt}};
  if (random_.chance(60)) table.fields.push_back({"d", Type::kDouble});
  if (random_.chance(40)) table.fields.push_back({"b", Type::kBool});
  std::string annotations;
  if (random_.chance(60)) {
    table.key = random_.chance(75) ? 1 : 2;
    annotations = table.key == 1 ? "@PrimaryKey('k') " : "@PrimaryKey('k', 'n') ";
  }
  if (random_.chance(40) && table.key < 2) annotations += "@Index('n') ";
  made_.parts.push_back(annotations + "define table " + table.name + " (" + text(table.fields) +
                        ");");
  tables_.push_back(std::move(table));
}

void PlanMaker::define_window() {
  RandomStream made;
  made.name = "W" + std::to_string(++outputs_);
  made.named_window = true;
  made.rank = 1;
  made.fields = {{"k", Type::kString}, {"t", Type::kLong}, {"i", Type::kInt}};
  if (random_.chance(50)) made.fields.push_back({"d", Type::kDouble});
  std::string kind = random_.word({"", "", "all", "current", "expired"});
  made.current_only = kind == "current";
  std::string output = kind.empty() ? "" : " output " + kind + " events";
  made_.parts.push_back("define window " + made.name + " (" + text(made.fields) + ") " +
                        window(true) + output + ";");
  streams_.push_back(std::move(made));
}

void PlanMaker::define_trigger() {
  RandomStream made;
  made.name = "Tick" + std::to_string(++outputs_);
  made.fields = {{"triggered_time", Type::kLong}};
  std::string when = random_.word({"'start'", "'*/5 * * * * ?'", "'*/2 * * * * ?'"});
  if (random_.chance(60)) when = "every " + duration();
  made_.parts.push_back("define trigger " + made.name + " at " + when + ";");
  streams_.push_back(std::move(made));
}

}  // namespace pollux::oracle
