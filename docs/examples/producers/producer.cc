// Sends the lines of a file, each "user,success", to the stream Logins (user string, success bool).
//
// Run it again over the same file, and nothing counts twice.
// usage: producer NAME FILE HOST:PORT [HOST:PORT]    NAME is this file's and nobody else's
#include "server/client/producer.h"

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr uint32_t kLinesABatch = 100;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void append(pollux::EventBatch& batch, const std::string& line) {
  const size_t comma = line.rfind(',');
  batch.append_string(0, std::string_view(line).substr(0, comma));
  batch.append_value(1, line.ends_with(",true"));
  batch.end_row(now_ms());
}

/// Returns when all lines are acknowledged, or when it is over.
absl::Status send(std::istream& lines, pollux::Producer& producer) {
  const auto logins = std::make_shared<const pollux::Schema>(
      "Logins", std::vector<pollux::Attribute>{{"user", pollux::AttributeType::kString},
                                               {"success", pollux::AttributeType::kBool}});
  auto batch = std::make_shared<pollux::EventBatch>(logins);
  for (std::string line; std::getline(lines, line);) {
    append(*batch, line);
    if (batch->rows() < kLinesABatch) continue;
    // Waits while too much is unanswered.
    if (absl::Status sent = producer.send(batch); !sent.ok()) return sent;
    batch = std::make_shared<pollux::EventBatch>(logins);
  }
  if (batch->rows() > 0) {
    if (absl::Status sent = producer.send(batch); !sent.ok()) return sent;
  }
  return producer.close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 1;
  uint64_t acked = 0;
  uint64_t duplicates = 0;
  auto producer = pollux::Producer::start(
      {.targets = {argv + 3, argv + argc}, .stream = "Logins", .producer = argv[1]},
      {.on_acked =
           [&](const pollux::ProducerCallbacks::Acked& batch) {
             ++acked;
             duplicates += batch.duplicate ? 1 : 0;
           },
       .on_trouble = [](const std::string& text) { std::cerr << text << std::endl; }});
  if (!producer.ok()) {
    std::cerr << producer.status() << "\n";
    return 1;
  }
  std::ifstream lines(argv[2]);
  if (absl::Status status = send(lines, **producer); !status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
  std::cout << acked << " batches acknowledged, " << duplicates << " of them known already\n";
}
