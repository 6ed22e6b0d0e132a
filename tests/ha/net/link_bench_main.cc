// How fast a link is between two nodes of one process, over loopback; the last line is JSON.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "ha/net/peer_link.h"

namespace pollux {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kMessages = 20'000;
constexpr uint64_t kInFlightMax = 64;  ///< as a replica's window keeps it
constexpr int kRoundTrips = 20'000;

class Node final : public PeerLinkListener {
 public:
  void on_connected(const NodeCard&) override { up_ = true; }
  void on_disconnected(const std::string&) override { up_ = false; }
  void on_message(PeerMessage message) override { when_message(std::move(message)); }
  void on_forward(ForwardedBatch, ForwardAnswerer) override {}

  void open(const std::vector<HostPort>& members) {
    PeerLinkOptions options;
    options.bind_address = "127.0.0.1";
    options.membership_port = options.event_sync_port = 0;
    options.members = members;
    auto opened = PeerLink::open(options, *this);
    if (!opened.ok()) {
      std::cerr << opened.status() << std::endl;
      std::exit(1);
    }
    link = *std::move(opened);
  }
  bool up() const { return up_; }

  std::function<void(PeerMessage)> when_message;
  std::unique_ptr<PeerLink> link;

 private:
  std::atomic<bool> up_ = false;
};

EventBatchPtr login_events() {
  auto schema = std::make_shared<const Schema>(
      "Logins", std::vector<Attribute>{{"user", AttributeType::kString},
                                       {"address", AttributeType::kString},
                                       {"ms", AttributeType::kLong},
                                       {"good", AttributeType::kBool}});
  auto batch = std::make_shared<EventBatch>(schema);
  for (int64_t row = 0; row < 1000; ++row) {
    batch->append_value(0, "user" + std::to_string(row));
    batch->append_value(1, "192.168.1." + std::to_string(row % 250));
    batch->append_value(2, row);
    batch->append_value(3, row % 7 != 0);
    batch->end_row(1'700'000'000'000 + row);
  }
  return batch;
}

int run() {
  Node a;
  Node b;
  std::atomic<uint64_t> acked = 0;
  std::atomic<bool> back = false;
  a.when_message = [&](PeerMessage message) {
    acked = std::get<Ack>(message.body).matched.value;
    back = true;
  };
  b.when_message = [&](PeerMessage message) {
    const auto& entries = std::get<Entries>(message.body);
    b.link->send({1, Ack{{1}, {1, 1}, entries.entries[0].id.position, {}}});
  };
  a.open({});
  b.open({{"127.0.0.1", a.link->membership_port()}});
  while (!a.up() || !b.up()) std::this_thread::yield();

  auto entries_of = [batch = login_events()](uint64_t position, bool events) {
    Entries entries;
    entries.epoch = {1};
    if (position > 1) entries.before = {{1}, {position - 1}};
    Entry entry{{{1}, {position}}, {1}, TickPayload{}};
    if (events) entry.payload = EventsPayload{batch};
    entries.entries.push_back(std::move(entry));
    return PeerMessage{1, std::move(entries)};
  };

  uint64_t bytes_before = b.link->counters().bytes_in;
  auto begin = Clock::now();
  for (uint64_t i = 1; i <= kMessages; ++i) {
    while (i - acked > kInFlightMax) std::this_thread::yield();
    a.link->send(entries_of(i, true));
  }
  while (acked < kMessages) std::this_thread::yield();
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  auto bytes = static_cast<double>(b.link->counters().bytes_in - bytes_before);

  std::vector<double> trips;
  for (int i = 0; i < kRoundTrips; ++i) {
    back = false;
    auto sent = Clock::now();
    a.link->send(entries_of(1, false));
    while (!back) std::this_thread::yield();
    trips.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
  }
  std::sort(trips.begin(), trips.end());
  std::cout << "{\"messages_per_s\": " << static_cast<double>(kMessages) / seconds
            << ", \"events_per_s\": " << 1000.0 * static_cast<double>(kMessages) / seconds
            << ", \"mb_per_s\": " << bytes / seconds / 1e6
            << ", \"round_trip_us_p50\": " << trips[trips.size() / 2]
            << ", \"round_trip_us_p99\": " << trips[trips.size() * 99 / 100] << "}" << std::endl;
  return 0;
}

}  // namespace
}  // namespace pollux

int main() { return pollux::run(); }
