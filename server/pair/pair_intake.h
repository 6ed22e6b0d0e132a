// Events on either node of a pair: the one that leads numbers them, the other hands them to it.
//
// A batch on its way to a node that leads no more has an unknown outcome. One that has a number is
// then taken here, once this node leads, since it cannot take effect twice; who sent another one is
// told so. Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>

#include "ha/net/peer_link.h"
#include "server/node/node.h"

namespace pollux {

class PairIntake final : public Intake {
 public:
  /// `node` outlives it.
  explicit PairIntake(Node& node) : node_(node) {}

  /// Batches are forwarded over `link` from here on; null: no more.
  void set_link(PeerLink* link);

  SchemaPtr schema_of(std::string_view stream) const override {
    return node_.intake().schema_of(stream);
  }
  void submit(Submission submission, std::function<void(Submitted)> done) override;

  /// A batch that the other node has forwarded: it is not forwarded again.
  void take_forwarded(ForwardedBatch batch, const ForwardAnswerer& answer);
  /// This node leads: what is on its way to the other one waits for nothing any more.
  void take_back();

 private:
  struct Forwarded {
    Submission submission;
    std::function<void(Submitted)> done;
  };

  void forward(uint64_t number, ForwardedBatch batch);
  void answer(uint64_t number, ForwardedAnswer answer);

  Node& node_;

  std::mutex link_mutex_;  // held while the link is called; taken before no other
  PeerLink* link_ = nullptr;

  std::mutex mutex_;
  uint64_t last_ = 0;
  std::map<uint64_t, Forwarded> forwarded_;
};

}  // namespace pollux
