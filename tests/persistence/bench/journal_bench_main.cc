// What the journal costs: its CPU time for some batches of events, against that of writing the same
// bytes with a checksum and a sync. Pairs are interleaved; the last line is JSON with medians.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "persistence/codec/crc32c.h"
#include "persistence/codec/entry_codec.h"
#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal.h"
#include "persistence/journal/journal_reader.h"

namespace pollux {
namespace {

struct Options {
  std::string directory;
  uint32_t rows = 1000;
  uint32_t entries = 4000;
  uint32_t group = 8;
  uint32_t pairs = 5;
};

struct Cost {
  double cpu_seconds = 0;
  double seconds = 0;
  uint64_t bytes = 0;
};

[[noreturn]] void give_up(const std::string& what) {
  std::cerr << what << std::endl;
  std::exit(1);
}

void must(const absl::Status& status) {
  if (!status.ok()) give_up(status.ToString());
}

double cpu_seconds() {
  rusage used;
  ::getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

template <class Work>
Cost cost_of(Work&& work) {
  Cost cost;
  auto begin = std::chrono::steady_clock::now();
  double cpu = cpu_seconds();
  cost.bytes = work();
  cost.cpu_seconds = cpu_seconds() - cpu;
  cost.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return cost;
}

EventBatchPtr some_batch(uint32_t rows) {
  auto schema = std::make_shared<const Schema>(
      "Trades", std::vector<Attribute>{{"symbol", AttributeType::kString},
                                       {"price", AttributeType::kDouble},
                                       {"volume", AttributeType::kLong},
                                       {"venue", AttributeType::kInt}});
  std::mt19937_64 random(1);
  auto batch = std::make_shared<EventBatch>(schema);
  for (uint32_t row = 0; row < rows; ++row) {
    batch->append_string(0, "SYM" + std::to_string(random() % 500));
    batch->append_value(1, static_cast<double>(random() % 100'000) / 100);
    batch->append_value(2, static_cast<int64_t>(random() % 10'000));
    batch->append_value(3, static_cast<int32_t>(random() % 20));
    batch->end_row(1'700'000'000'000 + row);
  }
  return batch;
}

Entry entry_at(uint64_t position, const EventBatchPtr& batch) {
  Entry entry{{{1}, {position}}, {static_cast<int64_t>(position)}, {}};
  EventsPayload events;
  events.batch = batch;
  entry.payload = std::move(events);
  return entry;
}

std::string fresh(const std::string& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  return directory;
}

JournalOptions journal_options(const Options& options) {
  JournalOptions journal;
  journal.directory = options.directory + "/journal";
  return journal;
}

uint64_t write_journal(const Options& options, const EventBatchPtr& batch) {
  PosixFileSystem files;
  auto journal = Journal::open(files, journal_options(options));
  must(journal.status());
  for (uint64_t at = 1; at <= options.entries; ++at) {
    must((*journal)->append(entry_at(at, batch)));
    if (at % options.group == 0 || at == options.entries) must((*journal)->commit());
  }
  return (*journal)->bytes();
}

/// The same bytes in groups of the same size.
uint64_t write_plainly(const Options& options, const std::string& record) {
  std::string path = options.directory + "/plain";
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) give_up("cannot open " + path);
  std::string group;
  for (uint32_t i = 0; i < options.group; ++i) group += record;
  uint64_t written = 0;
  uint32_t sums = 0;
  for (uint32_t at = 0; at < options.entries; at += options.group) {
    sums ^= crc32c(group);
    if (::write(file, group.data(), group.size()) != static_cast<ssize_t>(group.size())) {
      give_up("cannot write " + path);
    }
    if (::fdatasync(file) != 0) give_up("cannot sync " + path);
    written += group.size();
  }
  ::close(file);
  std::cout << "plain: checksum " << sums << std::endl;
  return written;
}

uint64_t read_journal(const Options& options) {
  PosixFileSystem files;
  auto journal = Journal::open(files, journal_options(options));
  must(journal.status());
  JournalReader reader(files, (*journal)->index(), (*journal)->first());
  uint64_t rows = 0;
  while (true) {
    auto entry = reader.next();
    must(entry.status());
    if (!*entry) break;
    rows += std::get<EventsPayload>((*entry)->payload).batch->rows();
  }
  if (rows != uint64_t{options.rows} * options.entries) give_up("events are missing");
  return (*journal)->bytes();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(const Options& options) {
  EventBatchPtr batch = some_batch(options.rows);
  SchemaSet known;
  std::string record;
  must(encode_entry(entry_at(1, batch), known, record));
  record.clear();
  must(encode_entry(entry_at(1, batch), known, record));
  std::vector<double> ratios;
  std::vector<double> journal_ns;
  std::vector<double> plain_ns;
  std::vector<double> events;
  std::vector<double> recovered;
  auto rows = static_cast<double>(uint64_t{options.rows} * options.entries);
  for (uint32_t pair = 0; pair < options.pairs; ++pair) {
    fresh(options.directory + "/journal");
    Cost journal = cost_of([&] { return write_journal(options, batch); });
    Cost recovery = cost_of([&] { return read_journal(options); });
    fresh(options.directory + "/journal");
    Cost plain = cost_of([&] { return write_plainly(options, record); });
    std::filesystem::remove(options.directory + "/plain");
    journal_ns.push_back(journal.cpu_seconds * 1e9 / static_cast<double>(journal.bytes));
    plain_ns.push_back(plain.cpu_seconds * 1e9 / static_cast<double>(plain.bytes));
    ratios.push_back(journal_ns.back() / plain_ns.back());
    events.push_back(rows / journal.seconds);
    recovered.push_back(rows / recovery.seconds);
  }
  std::filesystem::remove_all(options.directory + "/journal");
  std::cout << "{\"rows\": " << options.rows << ", \"entries\": " << options.entries
            << ", \"group\": " << options.group << ", \"record_bytes\": " << record.size()
            << ", \"journal_cpu_ns_per_byte\": " << median(journal_ns)
            << ", \"plain_cpu_ns_per_byte\": " << median(plain_ns)
            << ", \"ratio\": " << median(ratios)
            << ", \"events_per_second\": " << static_cast<uint64_t>(median(events))
            << ", \"recovered_events_per_second\": " << static_cast<uint64_t>(median(recovered))
            << "}" << std::endl;
  return 0;
}

}  // namespace
}  // namespace pollux

int main(int argc, char** argv) {
  CLI::App app("Compares the journal's CPU time with that of plain writes of the same bytes.");
  pollux::Options options;
  app.add_option("directory", options.directory, "An empty directory on the disk to measure")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--rows", options.rows, "Events a batch")->check(CLI::PositiveNumber);
  app.add_option("--entries", options.entries, "Batches a run")->check(CLI::PositiveNumber);
  app.add_option("--group", options.group, "Batches a commit")->check(CLI::PositiveNumber);
  app.add_option("--pairs", options.pairs, "Interleaved pairs of runs")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (!std::filesystem::is_empty(options.directory)) {
    std::cerr << options.directory << " is not empty" << std::endl;
    return 2;
  }
  return pollux::run(options);
}
