#include "ha/copies/row_identity.h"

#include <xxhash.h>

#include <string_view>

#include "persistence/codec/bytes.h"

namespace pollux {
namespace {

/// Where a value ends is told by its type, and by a length where it is of any length.
void put_value(const Column& column, uint32_t row, std::string& out) {
  const bool null = column.is_null(row);
  put_scalar(out, static_cast<uint8_t>(null));
  if (null) return put_sized_text(out, column.stray(row).view());
  switch (column.width()) {
    case 1:
      return put_scalar(out, column.data<uint8_t>()[row]);
    case 4:
      return put_scalar(out, column.data<uint32_t>()[row]);
    case 8:
      return put_scalar(out, column.data<uint64_t>()[row]);
    default:
      return put_sized_text(out, column.data<StringRef>()[row].view());
  }
}

void put_row(const EventBatch& batch, uint32_t row, std::string& out) {
  for (size_t c = 0; c < batch.schema().size(); ++c) put_value(batch.column(c), row, out);
}

RowIdentity hash_of(std::string_view bytes, uint64_t seed, bool name) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.high64, (hash.low64 & ~uint64_t{1}) | static_cast<uint64_t>(name)};
}

}  // namespace

std::vector<RowIdentity> identities_of(const EventBatch& batch, std::optional<size_t> name) {
  const std::string& stream = batch.schema().name();
  const uint64_t seed = XXH3_64bits(stream.data(), stream.size());
  std::vector<RowIdentity> all;
  all.reserve(batch.rows());
  std::string bytes;
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    bytes.clear();
    const bool named = name && !batch.column(*name).is_null(row);
    named ? put_value(batch.column(*name), row, bytes) : put_row(batch, row, bytes);
    all.push_back(hash_of(bytes, seed, named));
  }
  return all;
}

uint64_t content_hash(const EventBatch& batch) {
  std::string bytes;
  uint64_t hash = static_cast<uint64_t>(batch.one_chunk());
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    bytes.clear();
    put_row(batch, row, bytes);
    hash = XXH3_64bits_withSeed(bytes.data(), bytes.size(), hash);
  }
  return hash;
}

}  // namespace pollux
