#include "tests/oracle/random_plan.h"

#include <algorithm>
#include <optional>

#include "tests/oracle/random_expression.h"

namespace pollux::oracle {

namespace {

using Type = AttributeType;

struct RandomStream {
  std::string name;
  std::vector<Attribute> fields;
  /// Streams only feed streams of a higher rank; but see loop().
  int rank = 0;
  /// Joins and patterns multiply events; they do not feed each other.
  bool multiplied = false;
};

struct RandomTable {
  std::string name;
  std::vector<Attribute> fields;
  size_t key = 0;  ///< how many of the first attributes are the primary key
};

// What a query reads, and how its select may write it.
struct Input {
  std::string text;
  std::vector<Reach> reach;
  int rank = 0;
  bool multiplied = false;
  bool windowed = false;
};

class PlanMaker {
 public:
  PlanMaker(Random& random, RandomCase& made, int size)
      : random_(random), made_(made), size_(size) {}

  void make() {
    define_streams();
    if (random_.chance(45)) define_table();
    if (random_.chance(15)) define_table();
    auto queries = random_.between(1, std::min(size_, 6));
    for (int64_t i = 0; i < queries; ++i) {
      if (random_.chance(18)) {
        add_partition();
      } else {
        made_.parts.push_back(query() + ";");
      }
    }
  }

 private:
  // ---- definitions ----

  void define_streams() {
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

  void define_table() {
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

  static std::string text(const std::vector<Attribute>& fields) {
    std::string all;
    for (const Attribute& field : fields) {
      all += (all.empty() ? "" : ", ") + field.name + " " + std::string(name_of(field.type));
    }
    return all;
  }

  // ---- inputs ----

  const RandomStream& any_stream(bool simple_only = false) {
    std::vector<const RandomStream*> fitting;
    for (const RandomStream& stream : streams_) {
      if (!simple_only || !stream.multiplied) fitting.push_back(&stream);
    }
    for (const RandomStream& stream : inner_) {
      if (!simple_only || !stream.multiplied) fitting.push_back(&stream);
    }
    return *random_.pick(fitting);
  }

  static std::vector<Reach> reach_of(const std::vector<Attribute>& fields,
                                     const std::string& prefix) {
    std::vector<Reach> reach;
    for (const Attribute& field : fields) reach.push_back({prefix + field.name, field.type});
    return reach;
  }

  std::string filter(const std::vector<Reach>& reach) {
    if (random_.chance(20) && !tables_.empty()) return "[" + in_table(reach) + "]";
    return "[" + random_condition(random_, reach, 2) + "]";
  }

  std::string in_table(const std::vector<Reach>& reach) {
    const RandomTable& table = random_.pick(tables_);
    return "(" + match(table, reach) + " in " + table.name + ")";
  }

  std::string duration() {
    return random_.word({"500 millisec", "1 sec", "1500 millisec", "2 sec", "3 sec"});
  }

  static bool is_input(const RandomStream& stream) { return stream.name.starts_with("In"); }

  std::string window(const RandomStream& stream) {
    switch (random_.below(is_input(stream) ? 13 : 10)) {
      case 0:
      case 1:
        return "#window.length(" + std::to_string(random_.between(1, 5)) + ")";
      case 2:
      case 3:
        return "#window.time(" + duration() + ")";
      case 4:
        return "#window.lengthBatch(" + std::to_string(random_.between(1, 4)) +
               (random_.chance(20) ? ", true)" : ")");
      case 5:
      case 6:
        return "#window.timeBatch(" + duration() + random_.word({"", "", ", 0", ", true"}) + ")";
      case 7:
        return "#window.timeLength(" + duration() + ", " + std::to_string(random_.below(4)) + ")";
      case 8:
        return "#window.delay(" + duration() + ")";
      case 9:
        return "#window.batch(" + std::string(random_.word({"", "", "2", "3"})) + ")";
      case 10:
        return "#window.sort(" + std::to_string(random_.between(1, 4)) +
               random_.word({", t)", ", t, 'desc')"});
      case 11:
        return "#window.externalTime(t, " + duration() + ")";
      default:
        return "#window.externalTimeBatch(t, " + duration() + random_.word({"", "", ", 0"}) + ")";
    }
  }

  Input single() {
    const RandomStream& stream = any_stream();
    Input input;
    input.text = stream.name;
    input.reach = reach_of(stream.fields, "");
    input.rank = stream.rank;
    input.multiplied = stream.multiplied;
    if (random_.chance(35)) input.text += filter(input.reach);
    if (random_.chance(60)) {
      input.windowed = true;
      input.text += window(stream);
      if (random_.chance(12)) input.text += filter(input.reach);
    }
    return input;
  }

  std::string side(const RandomStream& stream, const std::string& alias) {
    std::string side = stream.name;
    if (random_.chance(30)) side += filter(reach_of(stream.fields, ""));
    if (random_.chance(85)) side += window(stream);
    return side + " as " + alias;
  }

  // Two attributes of one type that mostly can be equal.
  std::string equality(const std::vector<Reach>& left, const std::vector<Reach>& right) {
    std::vector<std::string> pairs;
    for (const Reach& a : left) {
      for (const Reach& b : right) {
        if (a.type == b.type && (a.type == Type::kString || a.type == Type::kInt)) {
          pairs.push_back(a.text + " == " + b.text);
        }
      }
    }
    if (pairs.empty()) return random_condition(random_, left, 1);
    return random_.pick(pairs);
  }

  Input join() {
    const RandomStream& left = any_stream(true);
    const RandomStream& right = any_stream(true);
    std::string kind = random_.word(
        {"join", "join", "inner join", "left outer join", "right outer join", "full outer join"});
    Input input;
    input.windowed = true;
    input.multiplied = true;
    input.rank = std::max(left.rank, right.rank);
    std::vector<Reach> left_reach = reach_of(left.fields, "L.");
    std::vector<Reach> right_reach = reach_of(right.fields, "R.");
    std::string left_text = side(left, "L");
    std::string right_text = side(right, "R");
    if (random_.chance(20)) {
      (random_.chance(50) ? left_text : right_text) += " unidirectional";
    }
    input.text = left_text + " " + kind + " " + right_text;
    input.reach = left_reach;
    input.reach.insert(input.reach.end(), right_reach.begin(), right_reach.end());
    if (random_.chance(90)) {
      input.text += " on " + equality(left_reach, right_reach);
      if (random_.chance(30)) input.text += " and " + random_condition(random_, input.reach, 1);
    }
    return input;
  }

  // A condition on a table's row that some row may meet; its key first.
  std::string match(const RandomTable& table, const std::vector<Reach>& reach) {
    std::vector<Reach> rows = reach_of(table.fields, table.name + ".");
    std::string condition;
    switch (random_.below(4)) {
      case 0:
        condition = rows[1].text + random_.word({" > ", " <= ", " == "}) +
                    random_expression(random_, Type::kInt, reach, 0);
        break;
      default:
        condition = rows[0].text + " == " + random_expression(random_, Type::kString, reach, 0);
    }
    if (random_.chance(25)) {
      condition += random_.word({" and ", " or "}) + rows[1].text +
                   random_.word({" >= ", " < ", " != "}) +
                   random_expression(random_, Type::kInt, reach, 0);
    }
    return "(" + condition + ")";
  }

  Input table_join() {
    const RandomTable& table = random_.pick(tables_);
    const RandomStream& stream = any_stream(true);
    Input input;
    input.windowed = true;
    input.multiplied = true;
    input.rank = stream.rank;
    std::vector<Reach> left = reach_of(stream.fields, "L.");
    input.text = side(stream, "L") + " " + random_.word({"join", "join", "left outer join"}) + " " +
                 table.name;
    if (random_.chance(90)) input.text += " on " + match(table, left);
    input.reach = left;
    std::vector<Reach> rows = reach_of(table.fields, table.name + ".");
    input.reach.insert(input.reach.end(), rows.begin(), rows.end());
    return input;
  }

  // ---- patterns ----

  struct Step {
    std::string text;
  };

  std::string element(Input& input, const RandomStream& stream, const std::string& name,
                      bool counted) {
    std::vector<Reach> own = reach_of(stream.fields, "");
    std::vector<Reach> visible = own;
    visible.insert(visible.end(), input.reach.begin(), input.reach.end());
    std::string text = name + "=" + stream.name;
    if (random_.chance(70)) {
      text += "[" +
              (random_.chance(40) && !input.reach.empty() ? equality(own, input.reach)
                                                          : random_condition(random_, own, 1)) +
              (random_.chance(20) ? " and " + random_condition(random_, visible, 1) : "") + "]";
    }
    std::string prefix = name;
    if (counted) prefix += random_.word({"[0]", "[1]", "[last]"});
    std::vector<Reach> added = reach_of(stream.fields, prefix + ".");
    input.reach.insert(input.reach.end(), added.begin(), added.end());
    input.rank = std::max(input.rank, stream.rank);
    return text;
  }

  std::string pattern_step(Input& input, bool first, bool last) {
    std::string name = "e" + std::to_string(++elements_);
    const RandomStream& stream = any_stream(true);
    switch (random_.below(8)) {
      case 0: {
        std::string counts = last ? random_.word({"<1:2>", "<2>", "<2:3>"})
                                  : random_.word({"<1:2>", "<2>", "<1:>", "<0:1>", "<2:3>"});
        if (first && counts == "<0:1>") counts = "<1:2>";
        return element(input, stream, name, true) + counts;
      }
      case 1: {
        std::string second = "e" + std::to_string(++elements_);
        const RandomStream& other = any_stream(true);
        Input before = input;
        std::string left = element(before, stream, name, false);
        std::string right = element(input, other, second, false);
        input.rank = std::max(input.rank, before.rank);
        std::vector<Reach> added = reach_of(stream.fields, name + ".");
        input.reach.insert(input.reach.end(), added.begin(), added.end());
        return left + random_.word({" and ", " or "}) + right;
      }
      default:
        return element(input, stream, name, false);
    }
  }

  Input pattern() {
    Input input;
    input.multiplied = true;
    auto steps = random_.between(2, 4);
    std::string separator = " -> ";
    std::vector<std::string> texts;
    for (int64_t i = 0; i < steps; ++i) {
      texts.push_back(pattern_step(input, i == 0, i + 1 == steps));
    }
    switch (random_.below(6)) {
      case 0:
        break;
      case 1:
        texts[0] = "every (" + texts[0] + " -> " + texts[1] + ")";
        texts.erase(texts.begin() + 1);
        break;
      case 2:
        if (random_.chance(50)) {
          texts[1] = "every (" + texts[1] + ")";
          break;
        }
        [[fallthrough]];
      default:
        texts[0] = "every (" + texts[0] + ")";
    }
    for (const std::string& text : texts)
      input.text += (input.text.empty() ? "" : separator) + text;
    if (random_.chance(50)) input.text += " within " + duration();
    return input;
  }

  Input sequence() {
    Input input;
    input.multiplied = true;
    auto steps = random_.between(2, 4);
    for (int64_t i = 0; i < steps; ++i) {
      std::string name = "e" + std::to_string(++elements_);
      const RandomStream& stream = any_stream(true);
      bool counted = i + 1 < steps && random_.chance(25);
      std::string step = element(input, stream, name, counted);
      if (counted) step += random_.word({"+", "*", "?", "<1:2>"});
      if (i == 0 && random_.chance(70)) step = "every " + step;
      input.text += (i == 0 ? "" : ", ") + step;
    }
    if (random_.chance(40)) input.text += " within " + duration();
    return input;
  }

  Input input() {
    for (;;) {
      switch (random_.below(10)) {
        case 0:
        case 1:
          return join();
        case 2:
          if (tables_.empty()) break;
          return table_join();
        case 3:
        case 4:
          return pattern();
        case 5:
          return sequence();
        default:
          return single();
      }
    }
  }

  // ---- select and output ----

  struct Selection {
    std::string text;
    std::vector<Attribute> fields;
    bool grouped = false;
  };

  std::string value_of(Type type, const std::vector<Reach>& reach) {
    return random_expression(random_, type, reach, 2);
  }

  Selection select(const Input& input, const std::vector<Attribute>* wanted, bool aggregates) {
    Selection selection;
    auto add = [&](const std::string& expression, const Attribute& field) {
      selection.text += (selection.fields.empty() ? "" : ", ") + expression + " as " + field.name;
      selection.fields.push_back(field);
    };
    if (wanted != nullptr) {
      for (const Attribute& field : *wanted) add(value_of(field.type, input.reach), field);
    } else {
      auto count = random_.between(1, 4);
      for (int64_t i = 0; i < count; ++i) {
        std::string name = "o" + std::to_string(i);
        Type type{};
        if (aggregates && random_.chance(60)) {
          bool join = input.windowed && input.multiplied;
          std::string aggregate = random_aggregate(random_, input.reach, join, type);
          add(aggregate, {name, type});
        } else {
          Reach reach = random_.pick(input.reach);
          add(random_.chance(60) ? reach.text : value_of(reach.type, input.reach),
              {name, reach.type});
        }
      }
    }
    if (random_.chance(aggregates ? 55 : 10)) {
      selection.grouped = true;
      selection.text += " group by " + random_.pick(input.reach).text;
      if (random_.chance(20)) selection.text += ", " + random_.pick(input.reach).text;
    }
    if (random_.chance(20)) {
      selection.text += " having " + random_condition(random_, reach_of(selection.fields, ""), 1);
    }
    if (random_.chance(12)) {
      selection.text +=
          " order by " + random_.pick(selection.fields).name + random_.word({"", " asc", " desc"});
    }
    if (random_.chance(8)) selection.text += " limit " + std::to_string(random_.between(1, 3));
    if (random_.chance(5)) selection.text += " offset " + std::to_string(random_.between(0, 2));
    return selection;
  }

  std::string rate() {
    if (!random_.chance(15)) return "";
    std::string which = random_.word({"", "all ", "first ", "last "});
    if (random_.chance(60)) {
      return " output " + which + "every " + std::to_string(random_.between(1, 4)) + " events";
    }
    return " output " + which + "every " + duration();
  }

  std::string events_wanted(bool windowed) {
    if (windowed && random_.chance(35)) return random_.word({"all events ", "expired events "});
    return random_.chance(10) ? "current events " : "";
  }

  // An output that a later query may read, or one that another query fills already.
  std::string insert(const Input& input, bool aggregates, bool inner) {
    std::vector<RandomStream*> fitting;
    for (RandomStream& stream : streams_) {
      if (stream.rank > input.rank && !is_input(stream)) fitting.push_back(&stream);
    }
    if (!inner && !fitting.empty() && random_.chance(30)) {
      RandomStream& target = *random_.pick(fitting);
      target.multiplied |= input.multiplied;
      Selection selection = select(input, &target.fields, false);
      return " select " + selection.text + rate() + " insert " + events_wanted(input.windowed) +
             "into " + target.name;
    }
    RandomStream made;
    Selection selection;
    selection = select(input, nullptr, aggregates);
    made.name = (inner ? "#Inner" : "Out") + std::to_string(++outputs_);
    made.fields = selection.fields;
    made.rank = input.rank + 1;
    made.multiplied = input.multiplied;
    std::string text = " select " + selection.text + rate() + " insert " +
                       events_wanted(input.windowed) + "into " + made.name;
    (inner ? inner_ : new_outputs_).push_back(std::move(made));
    return text;
  }

  // Rows for a table: attributes of its primary key and indices are never null.
  std::string row_for(const RandomTable& table, const std::vector<Reach>& reach) {
    std::string row;
    for (size_t i = 0; i < table.fields.size(); ++i) {
      const Attribute& field = table.fields[i];
      std::string value = random_expression(random_, field.type, reach, 1);
      if (i < 2) value = "default(" + value + ", " + random_constant(random_, field.type) + ")";
      row += (i == 0 ? "" : ", ") + value + " as " + field.name;
    }
    return row;
  }

  std::string change_table(const Input& input) {
    const RandomTable& table = random_.pick(tables_);
    std::string row = " select " + row_for(table, input.reach);
    std::vector<Reach> event = reach_of(table.fields, "");
    std::string same_key = table.name + ".k == k";
    if (table.key == 2) same_key += " and " + table.name + ".n == n";
    // A join with a table that fills the same table would grow without end.
    bool grows = input.multiplied && table.key == 0;
    switch (grows ? random_.between(2, 5) : random_.between(0, 5)) {
      case 0:
      case 1:
        return row + " insert into " + table.name;
      case 2:
        return row + " delete " + table.name + " on " + match(table, event);
      case 3:
        return row + " update " + table.name + assignments(table) + " on " + match(table, event);
      case 4:
        return row + " update " + table.name + " on " + same_key;
      default:
        return row + " update or insert into " + table.name +
               (random_.chance(30) ? assignments(table) : "") + " on " + same_key;
    }
  }

  // Leaves the first two attributes alone: they may be the key.
  std::string assignments(const RandomTable& table) {
    size_t first = table.key == 2 ? 2 : 1;
    if (first >= table.fields.size()) return " set " + table.name + ".n = n";
    std::vector<Reach> reach = reach_of(table.fields, "");
    std::vector<Reach> rows = reach_of(table.fields, table.name + ".");
    reach.insert(reach.end(), rows.begin(), rows.end());
    const Attribute& field = table.fields[first + random_.below(table.fields.size() - first)];
    std::string value = random_expression(random_, field.type, reach, 2);
    if (field.name == "n") value = "default(" + value + ", 1)";
    return " set " + table.name + "." + field.name + " = " + value;
  }

  // ---- loops ----

  // A query that feeds a stream it reads. Each round adds one to `i` and ends soon.
  std::optional<std::string> loop() {
    std::vector<const RandomStream*> counting;
    for (const RandomStream& stream : streams_) {
      bool counts = std::any_of(stream.fields.begin(), stream.fields.end(),
                                [](const Attribute& field) { return field.name == "i"; });
      if (is_input(stream) && counts) counting.push_back(&stream);
    }
    if (counting.empty()) return std::nullopt;
    const RandomStream& stream = *random_.pick(counting);
    const std::string& name = stream.name;
    std::string few = random_.word({"[i == 1]", "[i == 1 or i == 2]"});
    std::string prefix;
    std::string text;
    bool windowed = false;
    switch (random_.below(5)) {
      case 0:
        prefix = "e2.";
        text = random_.word({"every e1=", "every (e1=", "e1="}) + name;
        text += text.find('(') == std::string::npos ? "" : ")";
        text += " -> e2=" + name + few;
        break;
      case 1:
        prefix = "e2.";
        text = random_.word({"every e1=", "e1="}) + name + ", e2=" + name + few;
        break;
      case 2:
        prefix = "L.";
        windowed = true;
        text = name + few + window(stream) + " as L ";
        // What the right side brings about must not bring that about again.
        if (random_.chance(50)) {
          text += "join " + name + "#window.length(2) as R on L.i == R.i";
        } else {
          text += "unidirectional join " + any_stream(true).name + "#window.length(2) as R";
        }
        break;
      default:
        windowed = random_.chance(50);
        text = name + random_.word({"[i < 2]", "[i < 4]"}) + (windowed ? window(stream) : "");
    }
    std::string select;
    for (const Attribute& field : stream.fields) {
      select += (select.empty() ? " select " : ", ") + prefix + field.name +
                (field.name == "i" ? " + 1" : "") + " as " + field.name;
    }
    return "from " + text + select + rate() + " insert " + events_wanted(windowed) + "into " + name;
  }

  std::string query() {
    if (random_.chance(4)) {
      if (auto made = loop()) return *made;
    }
    Input from = input();
    std::string text = "from " + from.text;
    if (!tables_.empty() && random_.chance(45)) {
      text += change_table(from);
    } else {
      text += insert(from, random_.chance(60), !in_partition_ ? false : random_.chance(35));
    }
    publish();
    return text;
  }

  // Outputs can be read once the query that makes them is complete.
  void publish() {
    std::move(new_outputs_.begin(), new_outputs_.end(), std::back_inserter(streams_));
    new_outputs_.clear();
  }

  // ---- partitions ----

  std::string key_of(const RandomStream& stream) {
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

  void add_partition() {
    std::string keys;
    for (const RandomStream& stream : streams_) {
      if (!keys.empty() && random_.chance(20)) continue;
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

  Random& random_;
  RandomCase& made_;
  int size_;
  std::vector<RandomStream> streams_, inner_, new_outputs_;
  std::vector<RandomTable> tables_;
  bool in_partition_ = false;
  int elements_ = 0, outputs_ = 0;
};

// ---- events ----

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

}  // namespace

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
