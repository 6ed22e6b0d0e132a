#include "engine/operators/chunk_filter.h"

namespace pollux {
namespace {

template <class T>
const T* gather(const T* from, const std::vector<uint32_t>& picked, std::vector<T>& to) {
  if (from == nullptr) return nullptr;
  to.resize(picked.size());
  for (size_t i = 0; i < picked.size(); ++i) to[i] = from[picked[i]];
  return to.data();
}

}  // namespace

Chunk ChunkPick::pick(const Chunk& chunk, const std::vector<uint32_t>& picked) {
  Chunk out = chunk;
  out.rows = static_cast<uint32_t>(picked.size());
  if (picked.size() == chunk.rows) return out;
  index_.resize(picked.size());
  for (size_t i = 0; i < picked.size(); ++i) index_[i] = chunk.row(picked[i]);
  out.index = index_.data();
  out.begin = 0;
  out.kinds = gather(chunk.kinds, picked, kinds_);
  out.chunk_ids = gather(chunk.chunk_ids, picked, chunk_ids_);
  out.output_ids = gather(chunk.output_ids, picked, output_ids_);
  out.keys = gather(chunk.keys, picked, keys_);
  out.causes = gather(chunk.causes, picked, causes_);
  return out;
}

}  // namespace pollux
