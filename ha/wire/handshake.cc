#include "ha/wire/handshake.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "ha/wire/wire_ids.h"

namespace pollux {
namespace {

absl::Status broken() { return absl::DataLossError("a handshake that cannot be read"); }

constexpr uint16_t kSaysSemantics = 2;  ///< the first version that does

void put_text(std::string& out, std::string_view text) {
  put_sized_text(out, text.substr(0, kHandshakeTextMax));
}

std::string take_text(PayloadReader& reader) {
  std::string_view text = reader.text();
  if (text.size() > kHandshakeTextMax) reader.fail();
  return std::string(text);
}

void put_card(std::string& out, const NodeCard& card) {
  put_scalar(out, card.version_min);
  put_scalar(out, card.version_max);
  put_scalar(out, uint32_t{0});
  put_id(out, card.process);
  put_scalar(out, card.attempt);
  put_scalar(out, card.fingerprint);
  for (const std::string* text :
       {&card.domain, &card.node, &card.membership, &card.event_sync, &card.snapshots}) {
    put_text(out, *text);
  }
}

void put_more(std::string& out, const NodeCard& card) {
  if (card.version_max < kSaysSemantics) return;
  put_scalar(out, card.semantics_min);
  put_scalar(out, card.semantics_max);
}

void take_more(PayloadReader& reader, NodeCard& card) {
  card.semantics_min = card.semantics_max = 1;
  if (card.version_max < kSaysSemantics) return;
  card.semantics_min = reader.number<uint32_t>();
  card.semantics_max = reader.number<uint32_t>();
  if (card.semantics_min == 0 || card.semantics_max < card.semantics_min) reader.fail();
}

NodeCard take_card(PayloadReader& reader) {
  NodeCard card;
  card.version_min = reader.number<uint16_t>();
  card.version_max = reader.number<uint16_t>();
  take_zeros(reader, 4);
  card.process = take_id<ProcessId>(reader);
  card.attempt = reader.number<uint64_t>();
  card.fingerprint = reader.number<uint64_t>();
  for (std::string* text :
       {&card.domain, &card.node, &card.membership, &card.event_sync, &card.snapshots}) {
    *text = take_text(reader);
  }
  if (card.version_min == 0 || card.version_max < card.version_min || !card.process.is_set()) {
    reader.fail();
  }
  return card;
}

}  // namespace

std::string_view name_of(Refusal refusal) {
  constexpr std::string_view kNames[] = {
      "none",   "other_domain", "no_common_version", "other_fingerprint", "too_many_connections",
      "myself", "wrong_port",   "other_peer",        "duplicate",         "given_up"};
  static_assert(std::size(kNames) == kRefusals);
  return kNames[static_cast<size_t>(refusal)];
}

void encode_offer(const HandshakeOffer& offer, std::string& out) {
  size_t begin = begin_wire_frame(out);
  put_scalar(out, static_cast<uint8_t>(offer.kind));
  out.append(7, '\0');
  put_card(out, offer.card);
  put_more(out, offer.card);
  POLLUX_CHECK(end_wire_frame(out, begin, {WireType::kOffer, 0, 0}).ok());
}

void encode_answer(const HandshakeAnswer& answer, std::string& out) {
  size_t begin = begin_wire_frame(out);
  put_scalar(out, static_cast<uint8_t>(answer.refusal));
  put_scalar(out, uint8_t{0});
  put_scalar(out, answer.version);
  put_scalar(out, uint32_t{0});
  put_card(out, answer.card);
  put_text(out, answer.reason);
  put_more(out, answer.card);
  POLLUX_CHECK(end_wire_frame(out, begin, {WireType::kAnswer, 0, 0}).ok());
}

absl::StatusOr<HandshakeOffer> decode_offer(const WireFrame& frame) {
  if (frame.header.type != WireType::kOffer || frame.header.flags != 0) return broken();
  PayloadReader reader(frame.payload);
  HandshakeOffer offer;
  offer.kind = static_cast<ConnectionKind>(reader.number<uint8_t>());
  take_zeros(reader, 7);
  offer.card = take_card(reader);
  take_more(reader, offer.card);
  if (offer.kind < ConnectionKind::kMembership || offer.kind > ConnectionKind::kForward) {
    reader.fail();
  }
  if (reader.failed()) return broken();
  return offer;
}

absl::StatusOr<HandshakeAnswer> decode_answer(const WireFrame& frame) {
  if (frame.header.type != WireType::kAnswer || frame.header.flags != 0) return broken();
  PayloadReader reader(frame.payload);
  HandshakeAnswer answer;
  auto refusal = reader.number<uint8_t>();
  take_zeros(reader, 1);
  answer.version = reader.number<uint16_t>();
  take_zeros(reader, 4);
  answer.card = take_card(reader);
  answer.reason = take_text(reader);
  take_more(reader, answer.card);
  if (refusal >= kRefusals) reader.fail();
  answer.refusal = static_cast<Refusal>(refusal);
  if (reader.failed()) return broken();
  return answer;
}

HandshakeAnswer refuse(const NodeCard& own, Refusal refusal, std::string reason) {
  return {refusal, 0, own, std::move(reason)};
}

HandshakeAnswer judge_offer(const NodeCard& own, const HandshakeOffer& offer) {
  const NodeCard& theirs = offer.card;
  uint16_t version = std::min(own.version_max, theirs.version_max);
  if (version < std::max(own.version_min, theirs.version_min)) {
    return refuse(own, Refusal::kNoCommonVersion,
                  absl::StrCat("node '", own.node, "' speaks versions ", own.version_min, " to ",
                               own.version_max, " of the pair's protocol, node '", theirs.node,
                               "' versions ", theirs.version_min, " to ", theirs.version_max,
                               ": bring both to programs of the same or the next version"));
  }
  if (theirs.domain != own.domain) {
    return refuse(own, Refusal::kOtherDomain,
                  absl::StrCat("node '", own.node, "' is of domain '", own.domain, "', node '",
                               theirs.node, "' of '", theirs.domain, "'"));
  }
  if (theirs.process == own.process) {
    return refuse(own, Refusal::kMyself, absl::StrCat("this is node '", own.node, "' itself"));
  }
  if (theirs.fingerprint != own.fingerprint) {
    return refuse(own, Refusal::kOtherFingerprint,
                  absl::StrCat("nodes '", own.node, "' and '", theirs.node,
                               "' would compute different results: their maths functions "
                               "differ"));
  }
  if (theirs.semantics_max < own.semantics_min || own.semantics_max < theirs.semantics_min) {
    return refuse(
        own, Refusal::kNoCommonVersion,
        absl::StrCat("node '", own.node, "' runs versions ", own.semantics_min, " to ",
                     own.semantics_max, " of the language's semantics, node '", theirs.node,
                     "' versions ", theirs.semantics_min, " to ", theirs.semantics_max,
                     ": bring both to programs of the same or the next version"));
  }
  return {Refusal::kNone, version, own};
}

}  // namespace pollux
