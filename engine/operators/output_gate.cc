#include "engine/operators/output_gate.h"

#include <utility>

#include "engine/base/check.h"

namespace pollux {
namespace {

template <class T>
void copy(const T* from, uint32_t rows, std::vector<T>& to) {
  if (from != nullptr) to.assign(from, from + rows);
}

template <class T>
const T* data_of(const std::vector<T>& values) {
  return values.empty() ? nullptr : values.data();
}

}  // namespace

OutputGate::Held::Held(const Selected& selected)
    : batch(selected.batch),
      one_chunk(selected.chunk.one_chunk),
      strings_shared(selected.chunk.strings_shared) {
  const Chunk& chunk = selected.chunk;
  uint32_t rows = chunk.rows;
  POLLUX_CHECK(rows == batch->rows() && chunk.index == nullptr && chunk.begin == 0);
  copy(chunk.kinds, rows, kinds);
  copy(chunk.chunk_ids, rows, chunk_ids);
  copy(chunk.output_ids, rows, output_ids);
  copy(chunk.keys, rows, keys);
  copy(chunk.causes, rows, causes);
}

Selected OutputGate::Held::selected() const {
  Selected selected;
  selected.batch = batch;
  Chunk& chunk = selected.chunk;
  chunk.batch = batch.get();
  chunk.rows = batch->rows();
  chunk.one_chunk = one_chunk;
  chunk.strings_shared = strings_shared;
  chunk.kinds = data_of(kinds);
  chunk.chunk_ids = data_of(chunk_ids);
  chunk.output_ids = data_of(output_ids);
  chunk.keys = data_of(keys);
  chunk.causes = data_of(causes);
  return selected;
}

void OutputGate::receive(const Selected& selected) {
  if (closed_) {
    held_.emplace_back(selected);
    return;
  }
  LoopGuard::Step step(guard_);
  Held held(selected);
  next_.receive(held.selected());
}

void OutputGate::open() {
  closed_ = false;
  // What goes out may close the gate again.
  std::vector<Held> held = std::exchange(held_, {});
  LoopGuard::Step step(guard_);
  for (const Held& each : held) next_.receive(each.selected());
}

}  // namespace pollux
