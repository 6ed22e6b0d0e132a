// What an operator orders for one start, by options of the command line.
#pragma once

#include <string>
#include <vector>

namespace pollux {

struct StartOrders {
  /// Where the journal has rotted behind the states of plans, or ends before them, it is set aside,
  /// and the node goes on from the states alone.
  bool forget_rotten_journal = false;
  /// Plans that the node may do without, where they cannot be built.
  std::vector<std::string> forget_plans;
};

}  // namespace pollux
