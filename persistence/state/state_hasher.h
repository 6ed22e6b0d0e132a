// XXH3-64 of bytes that come in pieces. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

#include "engine/base/hash.h"

namespace pollux {

class StateHasher {
 public:
  StateHasher() : state_(XXH3_createState()) {
    if (state_ == nullptr) throw std::bad_alloc();
    XXH3_64bits_reset(state_.get());
  }
  void append(std::string_view bytes) {
    XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
  }
  uint64_t hash() const { return XXH3_64bits_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

}  // namespace pollux
