// Random queries that feed a stream they read.
#include "tests/oracle/plan_maker.h"

#include <algorithm>

namespace pollux::oracle {

using Type = AttributeType;

// A query that feeds a stream it reads. Each round adds one to `i` and ends soon. Sessions stay
// away: what comes back to them is late, and when such a session ends is not defined.
std::optional<std::string> PlanMaker::loop() {
  std::vector<const RandomStream*> counting;
  for (const RandomStream& stream : streams_) {
    bool counts = std::any_of(stream.fields.begin(), stream.fields.end(),
                              [](const Attribute& field) { return field.name == "i"; });
    if (is_input(stream) && counts) counting.push_back(&stream);
  }
  if (counting.empty() || has_session_) return std::nullopt;
  has_loop_ = true;
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
      text = name + few + window_of(stream) + " as L ";
      // What the right side brings about must not bring that about again.
      if (random_.chance(50)) {
        text += "join " + name + "#window.length(2) as R on L.i == R.i";
      } else {
        text += "unidirectional join " + any_stream(true).name + "#window.length(2) as R";
      }
      break;
    default:
      windowed = random_.chance(50);
      text = name + random_.word({"[i < 2]", "[i < 4]"}) + (windowed ? window_of(stream) : "");
  }
  std::string select;
  for (const Attribute& field : stream.fields) {
    select += (select.empty() ? " select " : ", ") + prefix + field.name +
              (field.name == "i" ? " + 1" : "") + " as " + field.name;
  }
  return "from " + text + select + rate() + " insert " + events_wanted(windowed) + "into " + name;
}

}  // namespace pollux::oracle
