// Forwards that are not answered yet: those of this node, and those that it took for the peer. Both
// are bounded, and what is beyond is refused, so that two nodes never wait for each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "ha/net/link_counters.h"
#include "ha/wire/forward.h"

namespace pollux {

struct ForwardLimits {
  size_t count = 0;
  size_t bytes = 0;
  /// One more, with which there would be so many bytes; one alone may be of any length.
  bool allow(size_t others, size_t bytes_with_it) const {
    return others == 0 || (others < count && bytes_with_it <= bytes);
  }
};

/// Ours. Thread: any, or io where it says so.
class ForwardDesk {
 public:
  using Done = std::function<void(ForwardedAnswer)>;

  ForwardDesk(ForwardLimits limits, LinkCounters& counters)
      : limits_(limits), counters_(counters) {}

  /// True: whoever writes is to be told. `done` is called at once when there is no credit or way.
  bool ask(ForwardedBatch batch, Done done);

  // ---- thread: io ----
  void open();
  /// Whatever is not answered is answered: nobody knows what became of it.
  void close(const std::string& reason);
  void rest();
  /// The next batch to be written.
  std::optional<ForwardedBatch> next();
  /// False: nobody asked for that.
  bool answer(ForwardedAnswer answer);

 private:
  struct Asked {
    Done done;
    size_t bytes;
  };

  const ForwardLimits limits_;
  LinkCounters& counters_;
  std::mutex mutex_;
  bool open_ = false;
  bool told_ = false;
  uint64_t last_request_ = 0;
  size_t bytes_ = 0;
  std::map<uint64_t, Asked> asked_;
  std::deque<ForwardedBatch> to_write_;
};

/// The peer's, on one connection after the other. Thread: any, or io where it says so.
class ForwardsTaken {
 public:
  explicit ForwardsTaken(ForwardLimits limits) : limits_(limits) {}

  /// A connection of its own begins; answers to those before it are dropped. Thread: io.
  void begin(uint64_t connection);
  /// False: it is beyond the credit. Thread: io.
  bool take(size_t bytes);
  /// To a batch of that connection and size. True: whoever writes is to be told.
  bool answer(uint64_t connection, size_t bytes, ForwardedAnswer answer);
  void rest();
  /// The next answer to be written. Thread: io.
  std::optional<ForwardedAnswer> next();

 private:
  const ForwardLimits limits_;
  std::mutex mutex_;
  bool told_ = false;
  uint64_t connection_ = 0;
  size_t count_ = 0;
  size_t bytes_ = 0;
  std::deque<ForwardedAnswer> to_write_;
};

}  // namespace pollux
