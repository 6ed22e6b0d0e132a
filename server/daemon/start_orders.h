// What an operator orders for one start, by options of the command line.
#pragma once

namespace pollux {

struct StartOrders {
  /// Where the journal has rotted behind the states of plans, it is set aside, and the node goes on
  /// from the states alone.
  bool forget_rotten_journal = false;
};

}  // namespace pollux
