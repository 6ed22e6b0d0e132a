// language_reference: prints docs/siddhiql-functions.md.
#include <iostream>

#include "engine/planner/language_reference.h"

int main() {
  std::cout << pollux::language_reference();
  return 0;
}
