#include "ha/net/send_queue.h"

#include <utility>

#include "ha/wire/message_codec.h"

namespace pollux {

SendQueue::Added SendQueue::add(PeerMessage message) {
  size_t bytes = bytes_of(message);
  Line& line = lines_[index_of(way_of(message))];
  std::lock_guard lock(mutex_);
  if (!open_) return Added::kClosed;
  if (!line.waiting.empty() && line.bytes + bytes > bytes_max_) return Added::kFull;
  line.bytes += bytes;
  line.waiting.push_back({std::move(message), bytes});
  if (std::exchange(told_, true)) return Added::kAdded;
  return Added::kWake;
}

void SendQueue::open() {
  std::lock_guard lock(mutex_);
  open_ = true;
}

size_t SendQueue::close() {
  std::array<Line, kWays> dropped;  // their entries are let go of outside the lock
  {
    std::lock_guard lock(mutex_);
    open_ = false;
    std::swap(dropped, lines_);
  }
  size_t count = 0;
  for (const Line& line : dropped) count += line.waiting.size();
  return count;
}

void SendQueue::rest() {
  std::lock_guard lock(mutex_);
  told_ = false;
}

std::optional<PeerMessage> SendQueue::next(Way way) {
  std::lock_guard lock(mutex_);
  Line& line = lines_[index_of(way)];
  if (line.waiting.empty()) return std::nullopt;
  Waiting first = std::move(line.waiting.front());
  line.waiting.pop_front();
  line.bytes -= first.bytes;
  return std::move(first.message);
}

}  // namespace pollux
