#include "tests/fuzz/wire_probe.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/base/check.h"
#include "ha/wire/forward.h"
#include "ha/wire/handshake.h"
#include "ha/wire/message_codec.h"
#include "persistence/codec/crc32c.h"
#include "persistence/codec/record.h"

namespace pollux {
namespace {

constexpr size_t kPayloadMax = size_t{1} << 20;
constexpr size_t kEntriesHeadBytes = 64;  ///< before the records, see message_codec.h
constexpr size_t kForwardHeadBytes = 16;  ///< see forward.h

template <class Number>
void put_at(std::string& bytes, size_t at, Number number) {
  std::memcpy(bytes.data() + at, &number, sizeof(number));
}

template <class Number>
Number number_at(const std::string& bytes, size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

uint32_t sum_of(const std::string& bytes, size_t begin, size_t length) {
  return crc32c(std::string_view(bytes).substr(begin, length));
}

/// Records, one behind the other, in the bytes up to `end`; see record.h.
void mend_records(std::string& bytes, size_t at, size_t end) {
  while (at + kRecordHeaderBytes <= end) {
    size_t left = end - at - kRecordHeaderBytes;
    size_t length = std::min<size_t>(number_at<uint32_t>(bytes, at + 8), left) / 8 * 8;
    bytes.replace(at, 4, "PLXE");
    put_at(bytes, at + 4, kRecordVersion);
    put_at(bytes, at + 8, static_cast<uint32_t>(length));
    put_at(bytes, at + 12, sum_of(bytes, at + kRecordHeaderBytes, length));
    put_at(bytes, at + 44, sum_of(bytes, at, 44));
    at += kRecordHeaderBytes + length;
  }
}

/// What stands before the records of a forwarded batch.
size_t forward_head(const std::string& bytes, size_t payload, size_t length) {
  const bool copy = length >= 2 * kForwardHeadBytes && bytes[payload + 9] == 1;
  if (!copy) return kForwardHeadBytes;
  const size_t rows = number_at<uint32_t>(bytes, payload + kForwardHeadBytes + 8);
  return 2 * kForwardHeadBytes + (rows * 4 + 7) / 8 * 8;
}

std::string mended(std::string_view raw) {
  std::string bytes(raw);
  size_t at = 0;
  while (at + kWireHeaderBytes <= bytes.size()) {
    size_t payload = at + kWireHeaderBytes;
    size_t length = std::min<size_t>(number_at<uint32_t>(bytes, at + 8), bytes.size() - payload);
    auto type = static_cast<WireType>(bytes[at + 6]);
    size_t head =
        type == WireType::kEntries ? kEntriesHeadBytes : forward_head(bytes, payload, length);
    bool plain = bytes[at + 7] == 0;
    bool records = plain && (type == WireType::kEntries || type == WireType::kForward);
    if (records && length > head) mend_records(bytes, payload + head, payload + length);
    bytes.replace(at, 4, "PLXW");
    put_at(bytes, at + 4, kWireVersion);
    put_at(bytes, at + 8, static_cast<uint32_t>(length));
    put_at(bytes, at + 12, sum_of(bytes, payload, length));
    put_at(bytes, at + 24, uint32_t{0});
    put_at(bytes, at + 28, sum_of(bytes, at, 28));
    at = payload + length;
  }
  return bytes;
}

/// The first frame of bytes that were just written.
WireFrame frame_in(WireReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    std::span<char> room = reader.room();
    size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    reader.arrived(count);
    bytes.remove_prefix(count);
  }
  auto frame = reader.next();
  POLLUX_CHECK(frame.ok() && *frame);
  return **frame;
}

/// One end of a connection, and what it says of each frame.
class Listener {
 public:
  /// True: the frame says something.
  bool take(const WireFrame& frame) {
    switch (frame.header.type) {
      case WireType::kOffer:
        return take_offer(frame);
      case WireType::kAnswer:
        return take_answer(frame);
      case WireType::kForward:
        return take_forward(frame);
      case WireType::kForwardAnswer:
        return take_forward_answer(frame);
      default:
        return take_message(frame);
    }
  }

 private:
  bool take_offer(const WireFrame& frame) {
    auto offer = decode_offer(frame);
    if (!offer.ok()) return false;
    std::string bytes;
    encode_offer(*offer, bytes);
    WireReader reader(kPayloadMax);
    auto again = decode_offer(frame_in(reader, bytes));
    POLLUX_CHECK(again.ok() && again->card == offer->card && again->kind == offer->kind);
    HandshakeAnswer judged = judge_offer(offer->card, *offer);
    POLLUX_CHECK(judged.refusal == Refusal::kMyself);
    return true;
  }

  bool take_answer(const WireFrame& frame) {
    auto answer = decode_answer(frame);
    if (!answer.ok()) return false;
    std::string bytes;
    encode_answer(*answer, bytes);
    WireReader reader(kPayloadMax);
    auto again = decode_answer(frame_in(reader, bytes));
    POLLUX_CHECK(again.ok() && again->card == answer->card && again->reason == answer->reason);
    return true;
  }

  bool take_message(const WireFrame& frame) {
    auto message = messages_.decode(frame);
    if (!message.ok()) return false;
    MessageEncoder encoder;
    std::string bytes;
    POLLUX_CHECK(encoder.encode(*message, bytes).ok());
    WireReader reader(kWirePayloadBytesMax);
    auto again = MessageDecoder().decode(frame_in(reader, bytes));
    POLLUX_CHECK(again.ok());
    std::string twice;
    POLLUX_CHECK(MessageEncoder().encode(*again, twice).ok() && twice == bytes);
    return true;
  }

  bool take_forward(const WireFrame& frame) {
    auto forward = forwards_.decode(frame);
    if (!forward.ok()) return false;
    std::string bytes;
    POLLUX_CHECK(ForwardEncoder().encode(*forward, bytes).ok());
    WireReader reader(kWirePayloadBytesMax);
    auto again = ForwardDecoder().decode(frame_in(reader, bytes));
    POLLUX_CHECK(again.ok());
    std::string twice;
    POLLUX_CHECK(ForwardEncoder().encode(*again, twice).ok() && twice == bytes);
    return true;
  }

  static bool take_forward_answer(const WireFrame& frame) {
    auto answer = decode_forward_answer(frame);
    if (!answer.ok()) return false;
    std::string bytes;
    encode_forward_answer(*answer, bytes);
    WireReader reader(kPayloadMax);
    auto again = decode_forward_answer(frame_in(reader, bytes));
    POLLUX_CHECK(again.ok() && again->status == answer->status && again->id == answer->id);
    return true;
  }

  MessageDecoder messages_;
  ForwardDecoder forwards_;
};

}  // namespace

WireProbe probe_wire(std::string_view bytes) {
  WireProbe probe;
  Listener listener;
  WireReader reader(kPayloadMax);
  size_t step = 1;
  while (true) {
    auto frame = reader.next();
    if (!frame.ok()) {
      POLLUX_CHECK(reader.next().status() == frame.status());
      return probe;
    }
    if (*frame) {
      ++probe.frames;
      probe.taken += listener.take(**frame) ? 1U : 0U;
      continue;
    }
    if (bytes.empty()) return probe;
    std::span<char> room = reader.room();
    size_t count = std::min({room.size(), bytes.size(), step});
    std::memcpy(room.data(), bytes.data(), count);
    reader.arrived(count);
    bytes.remove_prefix(count);
    step = step * 5 % 977 + 1;
  }
}

WireProbe probe_mended_wire(std::string_view bytes) { return probe_wire(mended(bytes)); }

}  // namespace pollux
