// What goes over the connections that stand.
#include <utility>

#include "absl/strings/str_cat.h"
#include "ha/net/link_core.h"

namespace pollux {
namespace {

constexpr size_t kWriteBytes = size_t{256} << 10;  ///< are gathered for one write

}  // namespace

void LinkCore::on_frame(LinkConnection& connection, const WireFrame& frame) {
  if (connection.tag.greeted) return on_traffic(connection, frame);
  bool dialled = dials_.contains(connection.shared_from_this());
  dialled ? on_answer(connection, frame) : on_offer(connection, frame);
}

void LinkCore::on_traffic(LinkConnection& connection, const WireFrame& frame) {
  if (!may_come(connection.tag.way, frame.header.type)) {
    return violation(connection,
                     absl::StrCat("a frame of type ", static_cast<int>(frame.header.type),
                                  " may not come on it"));
  }
  counters_.add(counters_.messages_in);
  switch (frame.header.type) {
    case WireType::kForward:
      return on_forward_frame(connection, frame);
    case WireType::kForwardAnswer:
      return on_forward_answer_frame(connection, frame);
    default:
      return on_message_frame(connection, frame);
  }
}

void LinkCore::on_message_frame(LinkConnection& connection, const WireFrame& frame) {
  auto message = slot(connection.tag.way).decoder->decode(frame);
  if (!message.ok()) return violation(connection, std::string(message.status().message()));
  listener_.on_message(*std::move(message));
}

void LinkCore::on_forward_frame(LinkConnection& connection, const WireFrame& frame) {
  auto batch = slot(Way::kForwardIn).forward_decoder->decode(frame);
  if (!batch.ok()) return violation(connection, std::string(batch.status().message()));
  size_t bytes = bytes_of(*batch);
  if (!taken_.take(bytes)) {
    counters_.add(counters_.forwards_beyond_credit);
    ForwardedAnswer refused;
    refused.request = batch->request;
    refused.status =
        absl::ResourceExhaustedError("the other node has as many batches in hand as it takes");
    encode_forward_answer(refused, connection.out());
    return connection.flush();
  }
  counters_.add(counters_.forwards_in);
  auto answer = [weak = weak_from_this(), serial = connection.tag.serial, bytes,
                 request = batch->request](ForwardedAnswer answer) {
    std::shared_ptr<LinkCore> core = weak.lock();
    if (!core) return;
    answer.request = request;
    if (core->taken_.answer(serial, bytes, std::move(answer))) {
      core->post([core = core.get()] { core->write_all(); });
    }
  };
  listener_.on_forward(*std::move(batch), std::move(answer));
}

void LinkCore::on_forward_answer_frame(LinkConnection& connection, const WireFrame& frame) {
  auto answer = decode_forward_answer(frame);
  if (!answer.ok()) return violation(connection, std::string(answer.status().message()));
  if (!desk_.answer(*std::move(answer)))
    violation(connection, "an answer to nothing that was asked");
}

// ---- out ----

void LinkCore::send(PeerMessage message) {
  Way way = way_of(message);
  switch (queue_.add(std::move(message))) {
    case SendQueue::Added::kAdded:
      return;
    case SendQueue::Added::kWake:
      return post([this] { write_all(); });
    case SendQueue::Added::kClosed:
      return counters_.add(counters_.dropped_closed);
    case SendQueue::Added::kFull:
      break;
  }
  counters_.add(counters_.dropped_full);
  if (kind_of(way) != ConnectionKind::kEventSync) return;
  post([this] {
    if (!connected_) return;
    counters_.add(counters_.queue_overflows);
    drop_peer("event sync: the other node takes too little of what is sent to it");
  });
}

void LinkCore::forward(ForwardedBatch batch, ForwardDesk::Done done) {
  if (desk_.ask(std::move(batch), std::move(done))) {
    post([this] { write_all(); });
  }
}

void LinkCore::write_all() {
  queue_.rest();
  desk_.rest();
  taken_.rest();
  for (Way way : {Way::kMembershipOut, Way::kEventSyncOut, Way::kEventSyncIn}) write_messages(way);
  write_forwards();
  write_forward_answers();
}

void LinkCore::on_written(LinkConnection& connection) {
  if (!is_standing(connection)) return;
  switch (connection.tag.way) {
    case Way::kForwardOut:
      return write_forwards();
    case Way::kForwardIn:
      return write_forward_answers();
    default:
      return write_messages(connection.tag.way);
  }
}

void LinkCore::write_messages(Way way) {
  if (!connected_) return;
  ConnectionPtr connection = slot(way).connection;
  while (connection->out().size() < kWriteBytes) {
    std::optional<PeerMessage> message = queue_.next(way);
    if (!message) break;
    if (version_of(*message) > version_) continue;  // the peer would not know it
    bool encoded = slot(way).encoder->encode(*message, connection->out()).ok();
    counters_.add(encoded ? counters_.messages_out : counters_.dropped_long);
  }
  connection->flush();
}

void LinkCore::write_forwards() {
  ConnectionPtr connection = slot(Way::kForwardOut).connection;
  if (!connection) return;
  while (connection->out().size() < kWriteBytes) {
    std::optional<ForwardedBatch> batch = desk_.next();
    if (!batch) break;
    absl::Status encoded =
        slot(Way::kForwardOut).forward_encoder->encode(*batch, connection->out());
    if (encoded.ok()) {
      counters_.add(counters_.messages_out);
      counters_.add(counters_.forwards_out);
      continue;
    }
    ForwardedAnswer refused;
    refused.request = batch->request;
    refused.status = encoded;
    desk_.answer(std::move(refused));
  }
  connection->flush();
}

void LinkCore::write_forward_answers() {
  ConnectionPtr connection = slot(Way::kForwardIn).connection;
  if (!connection) return;
  while (connection->out().size() < kWriteBytes) {
    std::optional<ForwardedAnswer> answer = taken_.next();
    if (!answer) break;
    encode_forward_answer(*answer, connection->out());
    counters_.add(counters_.messages_out);
  }
  connection->flush();
}

}  // namespace pollux
