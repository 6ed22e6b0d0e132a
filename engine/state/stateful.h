// A part of a plan that has state of its own.
#pragma once

#include <cstdint>

#include "engine/state/state_archive.h"

namespace pollux {

class Stateful {
 public:
  virtual ~Stateful() = default;
  /// Of what archive_state() writes; a change of that raises it.
  virtual uint32_t state_version() const { return 1; }
  /// Saves everything that later entries depend on, or loads it into a part that is as new. Between
  /// entries only.
  virtual void archive_state(StateArchive& archive) = 0;
};

}  // namespace pollux
