// Random windows.
#include "tests/oracle/plan_maker.h"

namespace pollux::oracle {

std::string PlanMaker::duration() {
  return random_.word({"500 millisec", "1 sec", "1500 millisec", "2 sec", "3 sec"});
}

// `with_time`: attribute t is there, never null, and grows with time.
std::string PlanMaker::window(bool with_time) {
  switch (random_.below(with_time ? 13 : 10)) {
    case 0:
    case 1:
      return "length(" + std::to_string(random_.between(1, 5)) + ")";
    case 2:
    case 3:
      return "time(" + duration() + ")";
    case 4:
      return "lengthBatch(" + std::to_string(random_.between(1, 4)) +
             (random_.chance(20) ? ", true)" : ")");
    case 5:
    case 6:
      return "timeBatch(" + duration() + random_.word({"", "", ", 0", ", true"}) + ")";
    case 7:
      return "timeLength(" + duration() + ", " + std::to_string(random_.below(4)) + ")";
    case 8:
      return "delay(" + duration() + ")";
    case 9:
      return "batch(" + std::string(random_.word({"", "", "2", "3"})) + ")";
    case 10:
      return "sort(" + std::to_string(random_.between(1, 4)) +
             random_.word({", t)", ", t, 'desc')"});
    case 11:
      return "externalTime(t, " + duration() + ")";
    default:
      return "externalTimeBatch(t, " + duration() + random_.word({"", "", ", 0"}) + ")";
  }
}

// Windows that nothing can be found in, or that need attributes k and t.
std::string PlanMaker::window_by_content() {
  std::string few = std::to_string(random_.between(1, 4));
  switch (random_.below(8)) {
    case 0:
      return "frequent(" + few + ", k)";
    case 1:
      return "lossyFrequent(" + random_.word({"0.3", "0.5"}) + ", " +
             random_.word({"0.1", "0.25"}) + ", k)";
    case 2:
      if (has_loop_) return "frequent(" + few + ", k)";
      has_session_ = true;
      return "session(" + duration() + random_.word({")", ", k)"});
    case 3:
      if (has_loop_) return "frequent(" + few + ", k)";
      has_session_ = true;
      return "session(1 sec, k, " + random_.word({"500 millisec", "1 sec"}) + ")";
    case 4:
      return "expression('count() <= " + few + "')";
    case 5:
      return random_.word({"expression('last.t - first.t < 700')",
                           "expression('eventTimestamp(last) - eventTimestamp(first) < 700')"});
    case 6:
      return "expressionBatch('count() <= " + few + "')";
    default:
      return "expressionBatch('last.t - first.t < 900')";
  }
}

std::string PlanMaker::window_of(const RandomStream& stream) {
  return "#window." + window(is_input(stream));
}

}  // namespace pollux::oracle
