#include "tests/bench/engine_worker.h"

#include <time.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace pollux::bench {
namespace {

// Events prepared at a time when rows are exported.
constexpr uint32_t kExportSectionRows = 16'384;

int64_t nanoseconds(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A workload's first paragraph holds its definitions, each later one a plan of its own.
std::vector<std::string> plans_of(const std::string& text) {
  std::vector<std::string> plans;
  size_t end = text.find("\n\n");
  std::string definitions = text.substr(0, end);
  while (end != text.npos) {
    size_t begin = end + 2;
    end = text.find("\n\n", begin);
    plans.push_back(definitions + "\n" + text.substr(begin, end - begin));
  }
  return plans;
}

void must_apply(Engine& engine, const Entry& entry, ResultSink& sink) {
  ApplyOutcome outcome = engine.apply(entry, sink);
  if (outcome.status == ApplyStatus::kApplied) return;
  std::string message = "the engine refused an entry: " + outcome.reason + "\n";
  throw std::runtime_error(message + to_text(outcome.diagnostics, "plan"));
}

uint32_t count_of(const std::string& text) { return static_cast<uint32_t>(std::stoul(text)); }

std::string json_number(const char* name, uint64_t value) {
  return "{\"" + std::string(name) + "\": " + std::to_string(value) + "}";
}

}  // namespace

std::string EngineWorker::answer(const std::vector<std::string>& command) {
  const std::string& verb = command.at(0);
  if (verb == "load") return load(command);
  if (verb == "export") return export_rows(command);
  if (verb == "open") return open(command);
  if (verb == "run") return run(command);
  if (verb == "state") return state(command);
  if (verb == "close") {
    session_.reset();
    return "{\"ok\": true}";
  }
  throw std::runtime_error("no such command: " + verb);
}

std::string EngineWorker::load(const std::vector<std::string>& command) {
  workloads_ = command.at(1);
  events_ = events_batch(read_events(command.at(2)));
  users_ = read_users(command.at(3));
  return "{\"ok\": true}";
}

std::unique_ptr<EngineWorker::Session> EngineWorker::deploy(const std::string& workload,
                                                            Feeding feeding) const {
  auto session = std::make_unique<Session>();
  EngineOptions options;
  options.clock = ClockMode::kEntry;
  options.is_result = [](std::string_view, std::string_view stream) {
    return is_result_stream(stream);
  };
  session->engine = std::make_unique<Engine>(options);
  BatchFeed::Options sizes{.batch_rows = feeding.batch_rows, .section_rows = feeding.section_rows};
  session->feed = std::make_unique<BatchFeed>(*events_, sizes);
  size_t number = 0;
  for (std::string& text : plans_of(read_text(workloads_ + "/" + workload + ".siddhi"))) {
    Entry entry;
    entry.id = {Epoch{1}, session->next};
    entry.timestamp = Timestamp{kFirstTimestampMs};
    entry.payload =
        DeployPayload{.plan = workload + "-" + std::to_string(++number), .text = std::move(text)};
    must_apply(*session->engine, entry, session->sink);
    ++session->next.value;
  }
  session->bytes_at_start = session->engine->state_bytes();
  return session;
}

void EngineWorker::load_users(Session& session) const {
  if (session.engine->input_schema("UserStream") == nullptr) return;
  Entry entry;
  entry.id = {Epoch{1}, session.next};
  entry.timestamp = Timestamp{kFirstTimestampMs};
  entry.payload = EventsPayload{users_batch(users_)};
  must_apply(*session.engine, entry, session.sink);
  ++session.next.value;
}

std::string EngineWorker::export_rows(const std::vector<std::string>& command) {
  Feeding feeding{.batch_rows = count_of(command.at(2)), .section_rows = kExportSectionRows};
  uint64_t left = count_of(command.at(3));
  std::unique_ptr<Session> session = deploy(command.at(1), feeding);
  load_users(*session);
  ExportSink sink(command.at(4));
  while (left != 0) {
    uint64_t rows = std::min<uint64_t>(left, kExportSectionRows);
    for (const Entry& entry : session->feed->prepare(session->next, rows)) {
      must_apply(*session->engine, entry, sink);
    }
    left -= rows;
  }
  sink.finish();
  return json_number("rows", sink.rows());
}

std::string EngineWorker::open(const std::vector<std::string>& command) {
  Feeding feeding{.batch_rows = count_of(command.at(2)), .section_rows = count_of(command.at(3))};
  session_ = deploy(command.at(1), feeding);
  load_users(*session_);
  return "{\"ok\": true}";
}

std::string EngineWorker::run(const std::vector<std::string>& command) {
  if (session_ == nullptr) throw std::runtime_error("nothing is open");
  Session& s = *session_;
  auto cpu_limit = static_cast<int64_t>(std::stod(command.at(1)) * 1e9);
  int64_t wall_end =
      nanoseconds(CLOCK_MONOTONIC) + static_cast<int64_t>(std::stod(command.at(2)) * 1e9);
  uint64_t events_before = s.feed->rows_prepared();
  uint64_t rows_before = s.sink.rows();
  int64_t cpu = 0;
  int64_t wall = 0;
  do {
    const std::vector<Entry>& entries = s.feed->prepare(s.next, s.feed->section_rows());
    int64_t wall_start = nanoseconds(CLOCK_MONOTONIC);
    int64_t cpu_start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    for (const Entry& entry : entries) must_apply(*s.engine, entry, s.sink);
    cpu += nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
    wall += nanoseconds(CLOCK_MONOTONIC) - wall_start;
    s.feed->release();
  } while (cpu < cpu_limit && nanoseconds(CLOCK_MONOTONIC) < wall_end);
  std::ostringstream json;
  json << "{\"events\": " << s.feed->rows_prepared() - events_before << ", \"cpu_ns\": " << cpu
       << ", \"wall_ns\": " << wall << ", \"rows\": " << s.sink.rows() - rows_before
       << ", \"checksum\": \"" << s.sink.checksum() << "\"}";
  return json.str();
}

std::string EngineWorker::state(const std::vector<std::string>& command) {
  if (session_ == nullptr) throw std::runtime_error("nothing is open");
  Session& s = *session_;
  uint64_t window = count_of(command.at(1));
  uint64_t left = (window - s.feed->rows_prepared() % window) % window;
  while (left != 0) {
    uint64_t rows = std::min<uint64_t>(left, s.feed->section_rows());
    for (const Entry& entry : s.feed->prepare(s.next, rows)) must_apply(*s.engine, entry, s.sink);
    left -= rows;
  }
  s.feed->release();
  size_t bytes = s.engine->state_bytes();
  return json_number("state_bytes", bytes - std::min(bytes, s.bytes_at_start));
}

}  // namespace pollux::bench
