#include "ha/net/peer_link.h"

#include <utility>

#include "ha/net/link_core.h"

namespace pollux {

struct PeerLink::Impl {
  std::shared_ptr<LinkCore> core;
};

PeerLink::PeerLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<PeerLink>> PeerLink::open(PeerLinkOptions options,
                                                         PeerLinkListener& listener) {
  auto core = std::make_shared<LinkCore>(std::move(options), listener);
  absl::Status listens = core->listen();
  if (!listens.ok()) return listens;
  core->start();
  return std::unique_ptr<PeerLink>(new PeerLink(std::make_unique<Impl>(Impl{std::move(core)})));
}

PeerLink::~PeerLink() { impl_->core->stop(); }

void PeerLink::send(PeerMessage message) { impl_->core->send(std::move(message)); }

void PeerLink::forward(ForwardedBatch batch, std::function<void(ForwardedAnswer)> done) {
  impl_->core->forward(std::move(batch), std::move(done));
}

bool PeerLink::connected() const { return impl_->core->connected(); }
uint16_t PeerLink::version() const { return impl_->core->version(); }
std::string PeerLink::problem() const { return impl_->core->problem(); }
uint16_t PeerLink::membership_port() const { return impl_->core->membership_port(); }
uint16_t PeerLink::event_sync_port() const { return impl_->core->event_sync_port(); }
const NodeCard& PeerLink::card() const { return impl_->core->card(); }
const LinkCounters& PeerLink::counters() const { return impl_->core->counters(); }

}  // namespace pollux
