// Events on either node of a pair: the one that leads numbers them, the other hands them to it.
//
// A batch on its way to a node that leads no more has an unknown outcome. One that has a number is
// then taken here, once this node leads, since it cannot take effect twice; who sent another one is
// told so. Events of a stream whose clients send to both nodes are not handed over but held, as
// copies of what the other one numbers. Thread: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "ha/net/peer_link.h"
#include "server/node/node.h"
#include "server/pair/held_copies.h"

namespace pollux {

class PairIntake final : public Intake {
 public:
  /// What is handed in outlives it.
  explicit PairIntake(Node& node) : node_(node) {}
  /// Some streams' events come to both nodes. `on_copies` is called whenever some have come.
  PairIntake(Node& node, IdentityTable& identities, std::function<void()> on_copies);

  /// Batches are forwarded over `link` from here on; null: no more.
  void set_link(PeerLink* link);

  SchemaPtr schema_of(std::string_view stream) const override {
    return node_.intake().schema_of(stream);
  }
  absl::Status why_unknown(std::string_view stream) const override {
    return node_.intake().why_unknown(stream);
  }
  void submit(Submission submission, std::function<void(Submitted)> done) override;

  /// A batch that the other node has forwarded: it is not forwarded again.
  void take_forwarded(ForwardedBatch batch, const ForwardAnswerer& answer);
  /// This node leads: what is on its way to the other one waits for nothing any more.
  void take_back();
  /// Null: no stream's events come to both nodes.
  HeldCopies* copies() { return copies_.get(); }
  /// Hands over the copies that have waited too long. Thread: the one that applies.
  void forward_copies();

 private:
  struct Forwarded {
    Submission submission;
    std::function<void(Submitted)> done;
  };

  void hold(Submission submission, std::function<void(Submitted)> done);
  void take_back_copies();
  void take_back_forwarded();
  void refuse_copies();
  void send(ForwardedBatch batch, std::function<void(ForwardedAnswer)> done);
  void answer(uint64_t number, ForwardedAnswer answer);

  Node& node_;
  const std::unique_ptr<HeldCopies> copies_;
  const std::function<void()> on_copies_;
  std::atomic<bool> stopped_ = false;
  /// Held while batches go from here to the sequencer, so that none that came later gets ahead of
  /// them; an answer may bring the next one on the same thread.
  std::recursive_mutex taking_back_;

  std::mutex link_mutex_;  // held while the link is called; taken before no other
  PeerLink* link_ = nullptr;

  std::mutex mutex_;
  uint64_t last_ = 0;
  std::map<uint64_t, Forwarded> forwarded_;
  std::atomic<size_t> forwarded_count_ = 0;  ///< until they are answered or with the sequencer
};

}  // namespace pollux
