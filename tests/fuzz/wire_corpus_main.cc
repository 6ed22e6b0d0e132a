// Writes what connections of the present version carry, a file a kind of frame: what the fuzzer
// begins with, and what later versions must still read.
//
//     build/release/bin/wire_corpus FOLDER
#include <fstream>
#include <iostream>
#include <string>

#include "ha/wire/message_codec.h"
#include "tests/ha/wire/random_messages.h"

namespace pollux {
namespace {

constexpr uint64_t kSeeds = 4;

std::string messages_of(size_t kind, bool packs) {
  std::string bytes;
  MessageEncoder encoder(packs);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    if (!encoder.encode(RandomMessages(seed).message(kind), bytes).ok()) return {};
  }
  return bytes;
}

/// Whether an entry brings rows of tables along.
bool has_rows(const EntryPayload& payload) {
  const auto* events = std::get_if<EventsPayload>(&payload);
  return events != nullptr ? !events->found.empty()
                           : !std::get<DeployPayload>(payload).stored.empty();
}

/// Deployments with the rows of stored tables, or events with those of external ones.
std::string table_rows(EntryType type) {
  std::string bytes;
  MessageEncoder encoder;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    RandomMessages messages(seed);
    Entries entries = messages.entries(2);
    for (Entry& entry : entries.entries) {
      RandomEntries random(seed);
      do {
        entry.payload = random.entry(type).payload;
      } while (!has_rows(entry.payload));
    }
    if (!encoder.encode({seed, std::move(entries)}, bytes).ok()) return {};
  }
  return bytes;
}

std::string handshakes() {
  std::string bytes;
  RandomMessages random(1);
  encode_offer({ConnectionKind::kEventSync, random.card()}, bytes);
  encode_answer({Refusal::kNone, 1, random.card()}, bytes);
  encode_answer(refuse(random.card(), Refusal::kOtherDomain, "of another domain"), bytes);
  return bytes;
}

std::string forwards() {
  std::string bytes;
  ForwardEncoder encoder;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    RandomMessages random(seed);
    if (!encoder.encode(random.forward(), bytes).ok()) return {};
    encode_forward_answer(random.forward_answer(), bytes);
  }
  return bytes;
}

int write(const std::string& folder) {
  constexpr const char* kKinds[] = {"heartbeat",   "hello",        "welcome",     "snapshot_needed",
                                    "entries",     "ack",          "switch_over", "confirmed",
                                    "plan_hashes", "apply_deaths", "orders"};
  static_assert(std::size(kKinds) == kMessageKinds);
  bool good = true;
  auto put = [&](const std::string& name, const std::string& bytes) {
    std::ofstream out(folder + "/" + name + ".v" + std::to_string(kProtocolVersionMax) + ".bin",
                      std::ios::binary);
    out << bytes;
    good = good && out.good() && !bytes.empty();
  };
  for (size_t kind = 0; kind < kMessageKinds; ++kind) put(kKinds[kind], messages_of(kind, false));
  put("packed_entries", messages_of(4, true));
  put("stored_rows", table_rows(EntryType::kDeploy));
  put("found_rows", table_rows(EntryType::kEvents));
  put("handshakes", handshakes());
  put("forwards", forwards());
  return good ? 0 : 1;
}

}  // namespace
}  // namespace pollux

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: wire_corpus FOLDER" << std::endl;
    return 2;
  }
  return pollux::write(argv[1]);
}
