// Random patterns and sequences.
#include "tests/oracle/plan_maker.h"

#include <algorithm>
#include <utility>

namespace pollux::oracle {

using Type = AttributeType;

std::string PlanMaker::element(Input& input, const RandomStream& stream, const std::string& name,
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

// An event that must not come; nothing of it can be read.
std::string PlanMaker::absence(Input& input) {
  const RandomStream& stream = any_stream(true);
  Input seen = input;
  std::string text = element(seen, stream, "", false);
  input.rank = seen.rank;
  return "not " + text.substr(text.find('=') + 1);
}

std::string PlanMaker::half_absent(Input& input) {
  std::string absent = absence(input);
  bool either = random_.chance(35);
  if (either || random_.chance(60)) absent += " for " + duration();
  std::string present = element(input, any_stream(true), "e" + std::to_string(++elements_), false);
  if (random_.chance(50)) std::swap(absent, present);
  return absent + (either ? " or " : " and ") + present;
}

std::string PlanMaker::pattern_step(Input& input, bool first, bool last) {
  bool behind_count = std::exchange(behind_count_, false);
  bool readable = !input.reach.empty() || !last;
  if (readable && random_.chance(10) && !behind_count) return absence(input) + " for " + duration();
  if (random_.chance(7) && !first && !behind_count) return half_absent(input);
  std::string name = "e" + std::to_string(++elements_);
  const RandomStream& stream = any_stream(true);
  switch (random_.below(8)) {
    case 0: {
      behind_count_ = true;
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

RandomInput PlanMaker::pattern() {
  Input input;
  input.multiplied = true;
  auto steps = random_.between(2, 4);
  std::string separator = " -> ";
  std::vector<std::string> texts;
  behind_count_ = false;
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
      if (random_.chance(50) && texts[1].find("not ") == std::string::npos) {
        texts[1] = "every (" + texts[1] + ")";
        break;
      }
      [[fallthrough]];
    default:
      texts[0] = "every (" + texts[0] + ")";
  }
  for (const std::string& text : texts) input.text += (input.text.empty() ? "" : separator) + text;
  if (random_.chance(50)) input.text += " within " + duration();
  return input;
}

RandomInput PlanMaker::sequence() {
  Input input;
  input.multiplied = true;
  auto steps = random_.between(2, 4);
  bool behind_count = false;  // what an absence behind a count waits for is not defined
  for (int64_t i = 0; i < steps; ++i) {
    bool last = i + 1 == steps;
    std::string step;
    if (random_.chance(8) && !(last && input.reach.empty()) && !behind_count) {
      step = absence(input) + " for " + duration();
    } else if (random_.chance(4) && !behind_count && i > 0) {
      step = half_absent(input);
    } else {
      bool counted = !last && random_.chance(25);
      step = element(input, any_stream(true), "e" + std::to_string(++elements_), counted);
      if (counted) step += random_.word({"+", "*", "?", "<1:2>"});
      behind_count = counted;
    }
    if (i == 0 && random_.chance(70)) step = "every " + step;
    input.text += (i == 0 ? "" : ", ") + step;
  }
  if (random_.chance(40)) input.text += " within " + duration();
  return input;
}

}  // namespace pollux::oracle
