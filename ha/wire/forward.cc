#include "ha/wire/forward.h"

#include <optional>
#include <utility>
#include <variant>

#include "engine/base/check.h"
#include "ha/wire/wire_ids.h"
#include "persistence/codec/entry_codec.h"
#include "persistence/codec/with_schemas.h"

namespace pollux {
namespace {

absl::Status broken() { return absl::DataLossError("a forwarded batch that cannot be read"); }

void put_copy(const CopyCount& copy, size_t begin, std::string& out) {
  put_scalar(out, copy.behind.value);
  put_scalar(out, static_cast<uint32_t>(copy.beyond.size()));
  put_scalar(out, uint32_t{0});
  for (uint32_t beyond : copy.beyond) put_scalar(out, beyond);
  pad_payload(out, begin);
}

CopyCount take_copy(PayloadReader& reader) {
  CopyCount copy;
  copy.behind.value = reader.number<uint64_t>();
  const auto rows = reader.number<uint32_t>();
  take_zeros(reader, 4);
  if (rows > reader.left() / sizeof(uint32_t)) reader.fail();
  if (reader.failed()) return copy;
  copy.beyond.resize(rows);
  for (uint32_t& beyond : copy.beyond) {
    beyond = reader.number<uint32_t>();
    if (beyond == 0) reader.fail();
  }
  reader.padding();
  return copy;
}

}  // namespace

size_t bytes_of(const ForwardedBatch& forward) {
  constexpr size_t kBytesOfOne = 128;
  return kBytesOfOne + forward.events.producer.size() + forward.events.batch->bytes_held();
}

absl::Status ForwardEncoder::encode(const ForwardedBatch& forward, std::string& out) {
  size_t begin = begin_wire_frame(out);
  put_scalar(out, forward.request);
  put_scalar(out, static_cast<uint8_t>(forward.wait));
  put_scalar(out, static_cast<uint8_t>(forward.copy.has_value()));
  out.append(6, '\0');
  if (forward.copy) put_copy(*forward.copy, begin + kWireHeaderBytes, out);
  absl::Status encoded = encode_entry({{}, {}, forward.events}, schemas_, out);
  if (encoded.ok()) encoded = end_wire_frame(out, begin, {WireType::kForward, 0, 0});
  if (encoded.ok()) return encoded;
  out.resize(begin);
  schemas_.clear();  // one may have stood in what is gone; the other end may hear it twice
  return encoded;
}

absl::StatusOr<ForwardedBatch> ForwardDecoder::decode(const WireFrame& frame) {
  if (frame.header.type != WireType::kForward || frame.header.flags != 0) return broken();
  PayloadReader reader(frame.payload);
  ForwardedBatch forward;
  forward.request = reader.number<uint64_t>();
  forward.wait = take_flag(reader);
  const bool copy = take_flag(reader);
  take_zeros(reader, 6);
  if (copy) forward.copy = take_copy(reader);
  if (reader.failed()) return broken();
  std::string_view records = reader.bytes(reader.left());
  bool last = false;
  auto decode_last = [&](const RecordFrame& record, SchemaTable& schemas) {
    last = record.payload.data() + record.payload.size() == records.data() + records.size();
    return decode_entry(record, schemas);
  };
  absl::StatusOr<std::optional<Entry>> entry =
      decode_with_schemas(records, true, schemas_, decode_last);
  if (!entry.ok()) return entry.status();
  auto* events = *entry && last ? std::get_if<EventsPayload>(&(*entry)->payload) : nullptr;
  // Whoever numbers the batch looks up what it needs.
  if (events == nullptr || !events->found.empty() || (*entry)->id != EntryId{} ||
      (*entry)->timestamp != Timestamp{}) {
    return broken();
  }
  if (copy && forward.copy->beyond.size() != events->batch->rows()) return broken();
  forward.events = std::move(*events);
  return forward;
}

void encode_forward_answer(const ForwardedAnswer& answer, std::string& out) {
  size_t begin = begin_wire_frame(out);
  put_scalar(out, answer.request);
  put_scalar(out, static_cast<uint8_t>(answer.status.code()));
  put_scalar(out, static_cast<uint8_t>(answer.duplicate));
  out.append(6, '\0');
  put_scalar(out, answer.accepted);
  put_scalar(out, answer.expected_number);
  put_scalar(out, answer.retry_after_ms);
  put_entry_id(out, answer.id);
  absl::string_view message = answer.status.message();
  put_sized_text(out, std::string_view(message.data(), message.size()).substr(0, kAnswerTextMax));
  POLLUX_CHECK(end_wire_frame(out, begin, {WireType::kForwardAnswer, 0, 0}).ok());
}

absl::StatusOr<ForwardedAnswer> decode_forward_answer(const WireFrame& frame) {
  if (frame.header.type != WireType::kForwardAnswer || frame.header.flags != 0) return broken();
  PayloadReader reader(frame.payload);
  ForwardedAnswer answer;
  answer.request = reader.number<uint64_t>();
  auto code = static_cast<absl::StatusCode>(reader.number<uint8_t>());
  if (code > absl::StatusCode::kUnauthenticated) reader.fail();
  answer.duplicate = take_flag(reader);
  take_zeros(reader, 6);
  answer.accepted = reader.number<uint64_t>();
  answer.expected_number = reader.number<uint64_t>();
  answer.retry_after_ms = reader.number<uint64_t>();
  answer.id = take_entry_id(reader);
  std::string_view message = reader.text();
  if (message.size() > kAnswerTextMax || (code == absl::StatusCode::kOk && !message.empty())) {
    reader.fail();
  }
  if (reader.failed() || reader.left() > 0) return broken();
  answer.status = absl::Status(code, absl::string_view(message.data(), message.size()));
  return answer;
}

}  // namespace pollux
