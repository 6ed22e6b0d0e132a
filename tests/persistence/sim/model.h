// What must be true of a node, seen from outside: which entries were offered and acknowledged, the
// state that they lead to, and the results that they bring about.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/runtime/entry.h"
#include "persistence/codec/crc32c.h"
#include "persistence/codec/entry_codec.h"
#include "tests/persistence/sim/some_results.h"

namespace pollux {

/// Something that must never be has been seen.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A number that stands for all of an entry.
inline uint64_t fingerprint(const Entry& entry) {
  thread_local SchemaSet known;
  thread_local std::string bytes;
  do {
    bytes.clear();
    if (!encode_entry(entry, known, bytes).ok()) throw Violation("an entry cannot be encoded");
    // Once more where its schema, which is seen for the first time, stands in front of it.
  } while (read_frame(bytes).header.type == RecordType::kSchema);
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t at = 0; at < bytes.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  return hash;
}

/// What a plan would keep: a function of all entries up to one.
struct ModelState {
  EntryId at;
  uint64_t hash = 1;
  uint64_t next_result = 1;  ///< offset in the outbox

  void apply(EntryId id, uint64_t entry) {
    at = id;
    hash = (hash ^ entry) * 0x9E3779B97F4A7C15;
    next_result += result_rows(id.position.value);
  }
  static uint64_t result_rows(uint64_t position) { return position % 3 + 1; }
  friend bool operator==(const ModelState&, const ModelState&) = default;
};

/// What entry `position` with that fingerprint brings about.
inline SomeResults results_of(EntryId id, uint64_t entry) {
  return SomeResults(id.position.value, id.epoch.value, entry % 997);
}

/// What the world outside the node knows; it survives every crash of the node.
class Model {
 public:
  void offer(const Entry& entry) {
    ModelState next = states_.back();
    uint64_t print = fingerprint(entry);
    next.apply(entry.id, print);
    states_.push_back(next);
    prints_.push_back(print);
    ++offers_;
  }
  /// Everything that was offered is acknowledged.
  void acknowledge() { acknowledged_ = offered(); }
  /// The node has come back and goes on behind `last`.
  void recovered(uint64_t last) {
    if (last < acknowledged_)
      throw Violation(
          "acknowledged entries are lost: the node goes on "
          "behind " +
          std::to_string(last) + " of " + std::to_string(acknowledged_));
    if (last > offered()) throw Violation("entries have come that nobody offered");
    states_.resize(last + 1);
    prints_.resize(last);
    acknowledged_ = last;
  }

  /// Entries behind `last` are being cut: from now on some of them may be gone.
  void begin_cut(uint64_t last) { acknowledged_ = std::min(acknowledged_, last); }
  /// They have been cut, and none may come back.
  void end_cut(uint64_t last) {
    states_.resize(last + 1);
    prints_.resize(last);
  }
  /// Of each epoch the last entry, among those from position `first` on.
  std::vector<EntryId> epoch_ends(uint64_t first) const {
    std::vector<EntryId> ends;
    for (uint64_t at = std::max<uint64_t>(first, 1); at <= offered(); ++at) {
      const EntryId& id = states_[at].at;
      if (ends.empty() || ends.back().epoch != id.epoch) ends.emplace_back();
      ends.back() = id;
    }
    return ends;
  }

  uint64_t offered() const { return prints_.size(); }
  uint64_t acknowledged() const { return acknowledged_; }
  /// Behind the entry at that position.
  const ModelState& state(uint64_t position) const { return states_.at(position); }
  /// Of the entry at that position.
  uint64_t print(uint64_t position) const { return prints_.at(position - 1); }
  uint64_t offers() const { return offers_; }

 private:
  std::vector<ModelState> states_ = {ModelState{}};
  std::vector<uint64_t> prints_;
  uint64_t acknowledged_ = 0;
  uint64_t offers_ = 0;
};

}  // namespace pollux
