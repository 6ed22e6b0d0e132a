#include "persistence/codec/result_codec.h"

#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "persistence/codec/batch_codec.h"
#include "persistence/codec/bytes.h"

namespace pollux {

absl::Status encode_results(const ResultBatch& results, uint64_t first, SchemaSet& known,
                            std::string& out) {
  POLLUX_CHECK(results.ordinals.size() == results.batch->rows());
  uint64_t schema_hash = encode_schema_once(results.batch->schema_ptr(), known, out);
  size_t record_begin = begin_record(out);
  size_t begin = record_begin + kRecordHeaderBytes;
  put_scalar(out, results.cause.position.value);
  put_scalar(out, results.batch->rows());
  put_scalar(out, static_cast<uint32_t>(results.plan.size()));
  out += results.plan;
  pad_payload(out, begin);
  out.append(reinterpret_cast<const char*>(results.ordinals.data()), results.ordinals.size_bytes());
  pad_payload(out, begin);
  encode_batch(*results.batch, schema_hash, begin, out);
  return end_record(out, record_begin, {RecordType::kResults, {results.cause.epoch, {first}}, {}});
}

absl::StatusOr<std::optional<OutboxSlice>> decode_results(const RecordFrame& frame,
                                                          SchemaTable& schemas) {
  POLLUX_CHECK(frame.state == FrameState::kWhole);
  if (frame.header.type == RecordType::kSchema) {
    absl::Status added = schemas.add(frame.payload);
    if (!added.ok()) return added;
    return std::nullopt;
  }
  absl::Status broken = absl::DataLossError("a slice of results that cannot be read");
  if (frame.header.type != RecordType::kResults) return broken;
  OutboxSlice slice;
  slice.first = frame.header.id.position.value;
  slice.cause.epoch = frame.header.id.epoch;
  PayloadReader reader(frame.payload);
  slice.cause.position = {reader.number<uint64_t>()};
  auto rows = reader.number<uint32_t>();
  auto name_bytes = reader.number<uint32_t>();
  slice.plan = std::string(reader.bytes(name_bytes));
  reader.padding();
  std::string_view ordinals = reader.bytes(uint64_t{rows} * sizeof(uint32_t));
  reader.padding();
  if (reader.failed()) return broken;
  slice.ordinals.resize(rows);
  if (rows > 0) std::memcpy(slice.ordinals.data(), ordinals.data(), ordinals.size());
  absl::StatusOr<std::shared_ptr<EventBatch>> batch = decode_batch(reader, schemas);
  if (!batch.ok()) return batch.status();
  if (!reader.finish() || (*batch)->rows() != rows) return broken;
  slice.batch = *std::move(batch);
  return slice;
}

}  // namespace pollux
